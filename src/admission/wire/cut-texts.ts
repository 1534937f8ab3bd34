import { randomUUID } from 'node:crypto';
import type { Text, TextMemory } from '../../helm/text-memory.ts';

/** A JSON text without its long strings. */
export interface CutJson {
  /** The original, with a `placeholder` in the place of each string that was cut out. */
  readonly json: string;
  readonly cuts: readonly Cut[];
}

export interface Cut {
  /** Nobody can guess it, so it stands nowhere else in the JSON. */
  readonly placeholder: string;
  /** The string, one byte for each character. */
  readonly text: Text;
}

/**
 * Shortest string that is cut out. V8 parses a JSON text of more than 100 KB into the old generation (kPretenureTreshold, json-parser.h), and
 * two such strings make one.
 */
const MIN_TEXT_BYTES = 64 * 1024;

/**
 * Most strings that are looked at. The review of a record has some hundred. Each costs a call, so a large body of short strings is better parsed
 * whole.
 */
const MAX_QUOTES = 4_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Cuts the long values of `key` out of a JSON text, wherever that key stands. Only printable ASCII without escapes is cut, as base64 is.
 * Undefined where there are none. The cut text is JSON exactly where the original is: strings are told by their quotes alone, and one string has
 * taken the place of another.
 */
export const cutTexts = (json: Buffer, key: string, memory: TextMemory): CutJson | undefined => {
  if (json.length < MIN_TEXT_BYTES) return undefined;
  const cuts: Cut[] = [];
  const id = randomUUID();
  let rest = '';
  let restStart = 0;
  let previous: StringToken | undefined;
  for (const string of stringsIn(json)) {
    const { start, end } = string;
    if (end - start >= MIN_TEXT_BYTES && previous !== undefined && isKeyOf(json, key, previous, string)) {
      const text = memory.hold(json.subarray(start, end));
      if (isPlain(text)) {
        const placeholder = `${id} ${cuts.length}`;
        cuts.push({ placeholder, text });
        rest += json.toString('utf8', restStart, start) + placeholder;
        restStart = end;
      } else {
        memory.free(text);
      }
    }
    previous = string;
  }
  return cuts.length === 0 ? undefined : { json: rest + json.toString('utf8', restStart), cuts };
};

/** The place of a string, without its quotes. */
interface StringToken {
  readonly start: number;
  readonly end: number;
}

/** The first strings of a JSON text. Outside of a string each quote begins one; inside, the first quote without an escape ends it. */
function* stringsIn(json: Buffer): Generator<StringToken> {
  let start = 0;
  let isInside = false;
  let from = 0;
  for (let quotes = 0; quotes < MAX_QUOTES; quotes += 1) {
    const quote = json.indexOf(QUOTE, from);
    if (quote === -1) return;
    from = quote + 1;
    if (!isInside) start = from;
    else if (isEscaped(json, quote, start)) continue;
    else yield { start, end: quote };
    isInside = !isInside;
  }
}

const isEscaped = (json: Buffer, at: number, start: number): boolean => {
  let first = at;
  while (first > start && json[first - 1] === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
};

/** Whether the first string is this key, and the second string is its value. */
const isKeyOf = (json: Buffer, key: string, name: StringToken, value: StringToken): boolean =>
  name.end - name.start === key.length &&
  json.toString('latin1', name.start, name.end) === key &&
  json.toString('latin1', name.end + 1, value.start - 1).trim() === ':';

/**
 * Whether all bytes are printable ASCII, and none is a backslash. Four bytes are looked at together, as many as a number of 32 bits holds.
 * https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord
 */
const isPlain = (text: Text): boolean => {
  if (Buffer.from(text.buffer, 0, text.length).includes(BACKSLASH)) return false;
  const words = new Int32Array(text.buffer, 0, text.length >> 2);
  let found = 0;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? 0;
    found |= word | ((word - 0x20202020) & ~word);
  }
  for (let index = words.length * 4; index < text.length; index += 1) {
    const byte = text[index] ?? 0;
    if (byte < 0x20) found = -1;
    found |= byte;
  }
  return (found & 0x80808080) === 0;
};
