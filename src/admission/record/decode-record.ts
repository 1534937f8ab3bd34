import type { Access } from '../../facts/access.ts';
import type { Decoder } from '../../helm/decoder.ts';
import { isSamePayload, operationOf, payloadOf } from '../../helm/record.ts';
import type { RecordWrite } from '../../rules/record/write.ts';
import type { Review } from '../wire/review.ts';
import type { RecordReview } from './read-record-review.ts';

export interface DecodeRecordDependencies {
  readonly access: Access;
  readonly decoder: Pick<Decoder, 'run'>;
  readonly nowMs: () => number;
}

type DecodedParts = Pick<RecordWrite, 'payload' | 'payloadBefore' | 'changedParts' | 'mayBreak'>;

export type Decoded =
  | { readonly readable: true; readonly write: DecodedParts }
  | { readonly readable: false; readonly problem: string };

export const NOTHING_DECODED = {
  payload: undefined,
  payloadBefore: undefined,
  changedParts: [],
  mayBreak: false,
} as const;

/** Helm labels a new record with the second of its creation, by its own clock. */
const FRESH_MS = 60_000;

/** Whether a new record may come from a backup: it begins no operation, or began one some time ago. */
const mayComeFromBackup = ({ object }: Review, { after }: RecordReview, nowMs: number): boolean =>
  after !== undefined &&
  (operationOf(after.status) === undefined ||
    !(Math.abs(nowMs - Number(object?.metadata?.labels?.createdAt) * 1000) < FRESH_MS));

/**
 * Helm marks a deployed revision superseded during an operation. Without an operation only a user with the right to break may
 * (rules/record/at-rest.ts). The same right is needed for some records that may come from a backup (rules/record/restore.ts and
 * rules/record/restored.ts).
 */
const needsBreak = (review: Review, parsed: RecordReview, nowMs: number): boolean =>
  parsed.before === undefined
    ? mayComeFromBackup(review, parsed, nowMs)
    : parsed.before.status === 'deployed' && parsed.after?.status === 'superseded';

const mayBreak = async (
  { access, nowMs }: DecodeRecordDependencies,
  review: Review,
  parsed: RecordReview,
  signal: AbortSignal,
): Promise<boolean> => {
  if (!needsBreak(review, parsed, nowMs())) return false;
  const { release } = parsed;
  // An upgrade needs no such right. It must not fail because RBAC does not answer.
  return access.may(review.user, 'break', release.namespace, release.name, signal).catch(() => false);
};

/** Reads as much of the payloads as the decision needs. */
export const decodeRecord = async (
  dependencies: DecodeRecordDependencies,
  review: Review,
  parsed: RecordReview,
  signal: AbortSignal,
): Promise<Decoded> => {
  const { kind, before, after, contentChanged } = parsed;
  if (after === undefined || !contentChanged) return { readable: true, write: NOTHING_DECODED };
  const payload = payloadOf(review.object);
  const stored = before === undefined ? undefined : payloadOf(review.oldObject);
  if (payload === undefined) return { readable: false, problem: 'is missing' };
  const right = mayBreak(dependencies, review, parsed, signal);
  const { decoder } = dependencies;
  if (stored === undefined || isSamePayload(stored, payload)) {
    const answer = await decoder.run<'summary'>({ want: 'summary', kind, payload }, parsed.release.namespace, signal);
    if (!answer.readable) return answer;
    const { summary } = answer.result;
    return {
      readable: true,
      write: {
        payload: summary,
        payloadBefore: stored === undefined ? undefined : summary,
        changedParts: [],
        mayBreak: await right,
      },
    };
  }
  const job = { want: 'comparison', kind, before: stored, after: payload } as const;
  const answer = await decoder.run<'comparison'>(job, parsed.release.namespace, signal);
  if (!answer.readable) return answer;
  // A stored payload that nobody can read has nothing left to protect: Helm may replace it.
  const { before: payloadBefore, after: summary, changed = [] } = answer.result;
  return { readable: true, write: { payload: summary, payloadBefore, changedParts: changed, mayBreak: await right } };
};
