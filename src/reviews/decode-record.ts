import type { KubernetesObject, Review } from '../admission/review.ts';
import { payloadOf } from '../helm/record.ts';
import type { RecordWrite } from '../rules/record/write.ts';
import type { ReviewDependencies } from './dependencies.ts';
import type { RecordReview } from './read-record-review.ts';

type DecodedParts = Pick<RecordWrite, 'payload' | 'payloadBefore' | 'changedParts' | 'isStamped'>;

export type Decoded =
  | { readonly readable: true; readonly write: DecodedParts }
  | { readonly readable: false; readonly problem: string };

export const NOTHING_DECODED = {
  payload: undefined,
  payloadBefore: undefined,
  changedParts: [],
  isStamped: false,
} as const;

/** When Helm's storage driver wrote the record last, in seconds, as it says itself. */
const stampOf = (object: KubernetesObject | undefined): string | undefined => object?.metadata?.labels?.modifiedAt;

/** Reads as much of the payloads as the decision needs. */
export const decodeRecord = async (
  { decoder }: ReviewDependencies,
  review: Review,
  { kind, before, after, contentChanged }: RecordReview,
  signal: AbortSignal,
): Promise<Decoded> => {
  if (after === undefined || !contentChanged) return { readable: true, write: NOTHING_DECODED };
  const payload = payloadOf(review.object);
  const stored = before === undefined ? undefined : payloadOf(review.oldObject);
  if (payload === undefined) return { readable: false, problem: 'is missing' };
  const isStamped = stampOf(review.object) !== stampOf(review.oldObject);
  if (stored === undefined || stored === payload) {
    const answer = await decoder.run<'summary'>({ want: 'summary', kind, payload }, signal);
    if (!answer.readable) return answer;
    const { summary } = answer.result;
    return {
      readable: true,
      write: {
        payload: summary,
        payloadBefore: stored === undefined ? undefined : summary,
        changedParts: [],
        isStamped,
      },
    };
  }
  const answer = await decoder.run<'comparison'>({ want: 'comparison', kind, before: stored, after: payload }, signal);
  if (!answer.readable) return answer;
  // A stored payload that nobody can read has nothing left to protect: Helm may replace it.
  const { before: payloadBefore, after: summary, changed = [] } = answer.result;
  return { readable: true, write: { payload: summary, payloadBefore, changedParts: changed, isStamped } };
};
