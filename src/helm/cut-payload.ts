import { randomUUID } from 'node:crypto';
import { asWritten, findUndecodable } from './decodes-in-go.ts';
import { textPiecesOf } from './json-string.ts';
import { giveBack, type Payload, PayloadError, type PayloadText, parseRelease } from './payload.ts';

/**
 * A payload without its long strings: templates, files and manifest. They are most of its bytes, and hardly any decision reads them.
 * In the place of each stands a short name. Their own bytes stay outside of the heap, as the JSON text has them.
 */
export interface CutPayload {
  readonly payload: Payload;
  /** Members of all objects in the JSON text. */
  readonly members: number;
  /** About what all of it holds in memory. */
  readonly heldBytes: number;
  /** The bytes of a long string, as JSON has them between the quotes; undefined for every other value. */
  longString(value: unknown): Buffer | undefined;
  /** Frees the long strings at once. They must not be read after that. */
  free(): void;
}

/** Nobody who writes a payload knows it, so no payload holds the name of a long string. */
const PREFIX = `long-string-${randomUUID()}-`;

/** What V8 takes for a value, with its share of keys and shapes. */
const BYTES_A_VALUE = 100;

/** Throws PayloadError where the text is not JSON, no release, or none that Helm could decode. */
export const cutPayload = ({ json, scan }: PayloadText): CutPayload => {
  const { longStrings, members, values, otherBytes } = scan;
  const parts: string[] = [];
  let end = 0;
  for (const [index, span] of longStrings.entries()) {
    parts.push(json.toString('utf8', end, span.start), PREFIX, String(index));
    end = span.end;
  }
  parts.push(json.toString('utf8', end));
  const cut = parts.join('');
  const payload = parseRelease(cut);
  const long = longStrings.map((span) => json.subarray(span.start, span.end));
  if (!long.every(isJsonText)) throw new PayloadError('is not JSON');
  const longString: CutPayload['longString'] = (value) =>
    typeof value === 'string' && value.startsWith(PREFIX) ? long[Number(value.slice(PREFIX.length))] : undefined;
  const undecodable = findUndecodable(asWritten(cut, payload), longString);
  if (undecodable !== undefined) throw new PayloadError(`holds in ${undecodable} what Helm cannot read`);
  return {
    payload,
    members,
    heldBytes: (longStrings.length === 0 ? 0 : json.length) + values * BYTES_A_VALUE + otherBytes,
    free: () => giveBack(json),
    longString,
  };
};

/** The text of a value that is a string, long or not; empty for another value. */
export const textIn =
  ({ longString }: CutPayload) =>
  (value: unknown): string => {
    const bytes = longString(value);
    if (bytes !== undefined) return [...textPiecesOf(bytes)].join('');
    return typeof value === 'string' ? value : '';
  };

/** Compares strings of two payloads by their bytes, and decodes only those that are written with other escapes. */
export const createSameText =
  (before: CutPayload, after: CutPayload) =>
  (left: string, right: string): boolean => {
    const [old, current] = [before.longString(left), after.longString(right)];
    if (old === undefined && current === undefined) return left === right;
    if (old !== undefined && current !== undefined) {
      return old.equals(current) || ((hasEscapes(old) || hasEscapes(current)) && isSameStream(old, current));
    }
    return textIn(before)(left) === textIn(after)(right);
  };

const BACKSLASH = 0x5c;

const hasEscapes = (bytes: Buffer): boolean => bytes.includes(BACKSLASH);

/** Piece by piece, so that neither text is ever there as a whole. */
const isSameStream = (left: Buffer, right: Buffer): boolean => {
  const [ours, theirs] = [textPiecesOf(left), textPiecesOf(right)];
  let [our, their] = ['', ''];
  for (;;) {
    if (our === '') our = ours.next().value ?? '';
    if (their === '') their = theirs.next().value ?? '';
    if (our === '' || their === '') return our === their;
    const length = Math.min(our.length, their.length);
    if (our.slice(0, length) !== their.slice(0, length)) return false;
    our = our.slice(length);
    their = their.slice(length);
  }
};

const ESCAPES: ReadonlySet<number> = new Set([...'"\\/bfnrt'].map((letter) => letter.charCodeAt(0)));
const LETTER_U = 0x75;
const SPACE = 0x20;
const HEX = /^[0-9A-Fa-f]{4}$/;

/** Whether JSON may have these bytes between quotes: no control character, and no escape that JSON does not know. */
const isJsonText = (bytes: Buffer): boolean => {
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < SPACE) return false;
    if (byte !== BACKSLASH) continue;
    at += 1;
    const letter = bytes[at] ?? 0;
    if (ESCAPES.has(letter)) continue;
    if (letter !== LETTER_U || !HEX.test(bytes.toString('latin1', at + 1, at + 5))) return false;
    at += 4;
  }
  return true;
};
