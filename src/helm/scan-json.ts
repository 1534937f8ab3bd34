/**
 * What parsing a JSON text would cost, counted in its bytes before anything is built of it. A text of 77 KB can expand to 30 MB of JSON with
 * four million small objects, which take half a gigabyte when they are parsed.
 */
export interface JsonScan {
  /** Values of every kind: objects, lists, strings, numbers, words. Keys do not count. */
  readonly values: number;
  /** Members of all objects, as often as a key comes. */
  readonly members: number;
  /** Long strings in the order in which they stand, without their quotes. Keys are not among them. */
  readonly longStrings: readonly Span[];
  /** Bytes that are left when the long strings are taken out. Keys count here, however long they are. */
  readonly otherBytes: number;
}

/** From `start` up to, and without, `end`: offsets of bytes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface JsonBounds {
  readonly maxValues: number;
  /** Objects and lists inside of each other. */
  readonly maxDepth: number;
  /** Bytes beside the long strings. */
  readonly maxOtherBytes: number;
  /** A string of this many bytes is long. */
  readonly longBytes: number;
}

export type TooCostly = 'values' | 'depth' | 'bytes';

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Scans a JSON text. Stops at the first bound that is passed, and names it. A text that is not JSON may be scanned as well: its numbers then
 * mean nothing, and the parser refuses it.
 */
export const scanJson = (json: Uint8Array, bounds: JsonBounds): JsonScan | TooCostly => {
  const longStrings: Span[] = [];
  // One value stands alone; each comma and each member brings one more, and so does what opens (an empty list is one too many, which is no harm).
  let separators = 0;
  let members = 0;
  let depth = 0;
  let longBytes = 0;
  let at = 0;
  while (at < json.length) {
    const byte = json[at];
    at += 1;
    if (byte === QUOTE) {
      const start = at;
      at = endOfString(json, start);
      const length = at - 1 - start;
      if (length >= bounds.longBytes) {
        longStrings.push({ start, end: at - 1 });
        longBytes += length;
      }
    } else if (byte === COMMA) {
      separators += 1;
    } else if (byte === COLON) {
      members += 1;
      // The string before a colon was a key. Every key is kept, so a long one is no long string.
      const last = longStrings.at(-1);
      if (last !== undefined && isKey(json, last, at - 1)) {
        longStrings.pop();
        longBytes -= last.end - last.start;
      }
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth += 1;
      separators += 1;
      if (depth > bounds.maxDepth) return 'depth';
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1;
    } else continue;
    if (separators > bounds.maxValues) return 'values';
    if (at - longBytes > bounds.maxOtherBytes) return 'bytes';
  }
  const otherBytes = json.length - longBytes;
  if (otherBytes > bounds.maxOtherBytes) return 'bytes';
  return { values: separators + 1, members, longStrings, otherBytes };
};

/** Whether only white space stands between a string and the colon at `colon`. */
const isKey = (json: Uint8Array, { end }: Span, colon: number): boolean => {
  for (let at = end + 1; at < colon; at += 1) if ((json[at] ?? 0) > SPACE) return false;
  return true;
};

/** Behind the quote that ends the string that begins at `start`; the end of the text where none does. */
const endOfString = (json: Uint8Array, start: number): number => {
  for (let from = start; ; ) {
    const quote = json.indexOf(QUOTE, from);
    if (quote === -1) return json.length;
    let first = quote;
    while (first > start && json[first - 1] === BACKSLASH) first -= 1;
    from = quote + 1;
    if ((quote - first) % 2 === 0) return from;
  }
};
