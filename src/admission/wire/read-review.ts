import type { Text, TextMemory } from '../../helm/text-memory.ts';
import type { Recognise, RecognisedReview } from '../recognised-review.ts';
import { type Cut, cutTexts } from './cut-texts.ts';
import { parseReview } from './parse.ts';
import type { Review } from './review.ts';

/** An AdmissionReview that has been read and recognised, or the reason why it could not be. */
export type ReadResult =
  | { readonly ok: true; readonly review: RecognisedReview }
  | { readonly ok: false; readonly uid: string | undefined; readonly problem: string };

/** What was read from a body. */
export type ReadReview =
  | {
      readonly isJson: true;
      readonly parsed: ReadResult;
      /** Memory that belongs to the review. The server frees it when the review has been judged. */
      readonly texts: readonly Text[];
    }
  | { readonly isJson: false };

/**
 * Reads the body of a review. The body is not needed afterwards. Long payloads of a record become bytes of their own (StoredPayload in
 * helm/record.ts), which only the rules of records know. Everything else is what JSON.parse makes of it.
 */
export const readReview = (body: Buffer, recognise: Recognise, memory: TextMemory): ReadReview =>
  readRecord(body, recognise, memory) ?? readPlain(body, recognise);

const parse = (value: unknown, recognise: Recognise): ReadResult => {
  const parsed = parseReview(value);
  return parsed.ok ? { ok: true, review: recognise(parsed.review) } : parsed;
};

const readPlain = (body: Buffer, recognise: Recognise): ReadReview => {
  const json = parseJson(body.toString('utf8'));
  return json === undefined ? { isJson: false } : { isJson: true, parsed: parse(json.value, recognise), texts: [] };
};

const readRecord = (body: Buffer, recognise: Recognise, memory: TextMemory): ReadReview | undefined => {
  const cut = cutTexts(body, 'release', memory);
  if (cut === undefined) return undefined;
  const json = parseJson(cut.json);
  const parsed = json && parse(json.value, recognise);
  if (parsed?.ok && parsed.review.reviewKind === 'record' && putBack(parsed.review, cut.cuts)) {
    return { isJson: true, parsed, texts: cut.cuts.map(({ text }) => text) };
  }
  for (const { text } of cut.cuts) memory.free(text);
  return undefined;
};

const parseJson = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
};

/** Puts the cut texts where they belong. False where one of them was not the payload of an object. */
const putBack = ({ object, oldObject }: Review, cuts: readonly Cut[]): boolean => {
  const places = [object?.data, oldObject?.data] as readonly ({ release?: unknown } | null | undefined)[];
  return cuts.every(({ placeholder, text }) => {
    const place = places.find((data) => data?.release === placeholder);
    if (place) place.release = text;
    return Boolean(place);
  });
};
