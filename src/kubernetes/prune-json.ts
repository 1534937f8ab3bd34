// Our own, after a look at stream-json and jsonparse: both make a JavaScript value of each token, also of those that are left out, and take some
// hundred nanoseconds for each. What Belay leaves out of a hostile object are a hundred thousand tokens.

/**
 * What is kept of a JSON value: all of it, or of an object the members for whose key there is a shape. The items of an array have the shape of the
 * array. `each`: the items of this array are handed out one by one, and not kept.
 */
export type Shape = 'all' | ((key: string) => Shape | undefined) | { readonly each: Shape };

/** Reads JSON as its bytes arrive. What is left out never takes memory. */
export interface Pruner {
  push(bytes: Uint8Array): void;
  /** The text around what was handed out, at the end. */
  rest(): string;
}

/** The largest objects that etcd stores have 1.5 MB, and some characters take six bytes in JSON. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
const FIRST_KEPT_BYTES = 16 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;
const ARRAY = 0x5b;
const ARRAY_END = 0x5d;
/** The space, and below it all other white space. */
const SPACE = 0x20;

/** An object or an array that is open. */
interface Frame {
  readonly isObject: boolean;
  /** Of an object itself, and of the items of an array. */
  readonly shape: Shape;
  readonly handsOut: boolean;
  /** Where it starts in what is kept. */
  readonly start: number;
  /** Members that are kept. */
  members: number;
  /** Whether a member, or its key, is next. */
  expectsMember: boolean;
  /** The shape of the value that is next. */
  next: Shape;
}

const frameOf = (isObject: boolean, shape: Shape, start: number): Frame => {
  const own = typeof shape === 'object' ? shape.each : shape;
  const handsOut = typeof shape === 'object' && !isObject;
  return { isObject, shape: own, handsOut, start, members: 0, expectsMember: true, next: own };
};

/** The bytes that are kept until they are handed out. */
const createKept = () => {
  let bytes = Buffer.allocUnsafeSlow(FIRST_KEPT_BYTES);
  let length = 0;
  const makeRoom = (more: number): void => {
    if (length + more <= bytes.length) return;
    if (length + more > MAX_KEPT_BYTES) throw new RangeError('an object of the answer is too large');
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * bytes.length, length + more));
    bytes.copy(larger, 0, 0, length);
    bytes = larger;
  };
  return {
    length: (): number => length,
    add: (byte: number): void => {
      makeRoom(1);
      bytes[length] = byte;
      length += 1;
    },
    addAll: (source: Uint8Array, start: number, end: number): void => {
      makeRoom(end - start);
      bytes.set(source.subarray(start, end), length);
      length += end - start;
    },
    cutTo: (end: number): void => {
      length = end;
    },
    text: (start: number): string => bytes.toString('utf8', start, length),
  };
};

/**
 * `handOut` gets the text of each item of an array of shape `each`, pruned. With `each` as the shape of the whole, several values may follow each
 * other. What is kept is JSON where the input is. Long, because it is one automaton, whose states are what its functions share.
 */
export const createPruner = (shape: Shape, handOut: (text: string) => void): Pruner => {
  const kept = createKept();
  const frames: Frame[] = [frameOf(false, typeof shape === 'object' ? shape : { each: shape }, 0)];
  const isSingle = typeof shape !== 'object';
  let frame = frames[0] as Frame;
  let isInString = false;
  let isEscaped = false;
  /** Where the key that is being read begins, with the comma before it; -1 where none is read. */
  let keyStart = -1;
  /** Whether what follows is left out, up to the end of the member. */
  let isSkipping = false;
  let skippedDepth = 0;

  const beginMember = (): void => {
    if (!frame.expectsMember) return;
    frame.expectsMember = false;
    if (frame.isObject) keyStart = kept.length();
    if (frame.members > 0) kept.add(COMMA);
    if (!frame.isObject) frame.members += 1;
  };

  const endKey = (): void => {
    const start = keyStart;
    keyStart = -1;
    const { shape: own } = frame;
    const next = typeof own === 'function' ? own(JSON.parse(kept.text(start + (frame.members > 0 ? 1 : 0)))) : own;
    if (next === undefined) {
      kept.cutTo(start);
      isSkipping = true;
      skippedDepth = 0;
    } else {
      frame.members += 1;
      frame.next = next;
    }
  };

  /** Whether the byte at `end` follows an odd number of backslashes, of which the last may have come with the bytes before. */
  const isEscapedAt = (bytes: Buffer, from: number, end: number): boolean => {
    let first = end;
    while (first > from && bytes[first - 1] === BACKSLASH) first -= 1;
    return ((end - first) % 2 === 1) !== (first === from && isEscaped);
  };

  const readString = (bytes: Buffer, from: number): number => {
    let quote = bytes.indexOf(QUOTE, from);
    while (quote >= 0 && isEscapedAt(bytes, from, quote)) quote = bytes.indexOf(QUOTE, quote + 1);
    isInString = quote < 0;
    isEscaped = quote < 0 && isEscapedAt(bytes, from, bytes.length);
    const end = quote < 0 ? bytes.length : quote + 1;
    if (!isSkipping) kept.addAll(bytes, from, end);
    if (quote >= 0 && keyStart >= 0) endKey();
    return end;
  };

  const skip = (bytes: Buffer, from: number): number => {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        isInString = true;
        return at + 1;
      }
      if (byte === OBJECT || byte === ARRAY) skippedDepth += 1;
      else if ((byte === OBJECT_END || byte === ARRAY_END || byte === COMMA) && skippedDepth === 0) {
        isSkipping = false;
        return at;
      } else if (byte === OBJECT_END || byte === ARRAY_END) skippedDepth -= 1;
    }
    return bytes.length;
  };

  const open = (isObject: boolean): void => {
    frame = frameOf(isObject, frame.next, kept.length());
    frames.push(frame);
  };

  const close = (): void => {
    const { start } = frame;
    frames.pop();
    const parent = frames.at(-1);
    if (parent === undefined) throw new SyntaxError('the answer is not JSON');
    frame = parent;
    if (!frame.handsOut || (isSingle && frames.length === 1)) return;
    handOut(kept.text(start));
    kept.cutTo(start);
    frame.members = 0;
    // Values of a stream follow each other without commas.
    frame.expectsMember = frames.length === 1;
  };

  const readToken = (byte: number): void => {
    if (byte <= SPACE) return;
    if (byte === COMMA) {
      frame.expectsMember = true;
    } else if (byte === OBJECT || byte === ARRAY) {
      beginMember();
      open(byte === OBJECT);
      kept.add(byte);
    } else if (byte === OBJECT_END || byte === ARRAY_END) {
      kept.add(byte);
      close();
    } else {
      if (byte !== COLON) beginMember();
      kept.add(byte);
      isInString = byte === QUOTE;
    }
  };

  return {
    push: (piece) => {
      const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      let at = 0;
      while (at < bytes.length) {
        if (isInString) at = readString(bytes, at);
        else if (isSkipping) at = skip(bytes, at);
        else {
          readToken(bytes[at] ?? SPACE);
          at += 1;
        }
      }
    },
    rest: () => kept.text(0),
  };
};
