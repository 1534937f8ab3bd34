/** How many bytes of a JSON string are decoded at once. */
const PIECE_BYTES = 256 * 1024;

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
/** `\u` and four digits. */
const ESCAPE_BYTES = 6;

/**
 * Decodes a JSON string piece by piece: as a whole, one of 32 MB would take several times that. `bytes` are those between the quotes.
 * Throws SyntaxError where they are no JSON.
 */
export const textPiecesOf = function* (bytes: Buffer, pieceBytes = PIECE_BYTES): Generator<string, undefined> {
  for (let start = 0; start < bytes.length; ) {
    const end = findCut(bytes, start, start + pieceBytes);
    yield JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string;
    start = end;
  }
};

/** The last place up to `wanted` that is inside of no letter, no escape and no pair of escapes. */
const findCut = (bytes: Buffer, start: number, wanted: number): number => {
  if (wanted >= bytes.length) return bytes.length;
  let cut = wanted;
  // UTF-8 has at most three bytes more to a letter.
  for (let more = 0; more < 3 && isContinuation(bytes, cut); more += 1) cut -= 1;
  for (let at = Math.max(start, cut - ESCAPE_BYTES + 1); at < cut; at += 1) {
    if (isEscape(bytes, start, at) && at + lengthOf(bytes, at) > cut) cut = at;
  }
  const before = cut - ESCAPE_BYTES;
  const endsInHalf = before >= start && isEscape(bytes, start, before) && isFirstHalf(bytes, before);
  return endsInHalf ? before : cut;
};

const isContinuation = (bytes: Buffer, at: number): boolean => ((bytes[at] ?? 0) & 0xc0) === 0x80;

const lengthOf = (bytes: Buffer, at: number): number => (bytes[at + 1] === LETTER_U ? ESCAPE_BYTES : 2);

/** A letter beyond 16 bits is written as two escapes, of which the first is D800 to DBFF. */
const isFirstHalf = (bytes: Buffer, at: number): boolean =>
  /^\\u[dD][89abAB]/.test(bytes.toString('latin1', at, at + 4));

const isEscape = (bytes: Buffer, start: number, at: number): boolean =>
  bytes[at] === BACKSLASH && isEvenRun(bytes, start, at);

/** Whether an even number of backslashes stands before `at`, so that the one at `at` begins an escape. */
const isEvenRun = (bytes: Buffer, start: number, at: number): boolean => {
  let first = at;
  while (first > start && bytes[first - 1] === BACKSLASH) first -= 1;
  return (at - first) % 2 === 0;
};
