import type { Intervals } from './intervals.ts';

/** As CLAIM_VOID_AFTER_MS of the rules, which stand above this: a test compares the two. */
export const CLAIM_VOID_MS = 10_000;

/** What is wrong with a set of intervals, in words; undefined when nothing is. */
type Relation = (intervals: Intervals) => string | undefined;

/** The first is not more than the last. */
const ordered =
  <Name extends keyof Intervals>(
    group: Name,
    first: keyof Intervals[Name] & string,
    last: keyof Intervals[Name] & string,
  ): Relation =>
  (intervals) =>
    Number(intervals[group][first]) <= Number(intervals[group][last])
      ? undefined
      : `${group}.${first} must not be more than ${group}.${last}`;

const RELATIONS: readonly Relation[] = [
  ({ lock }) =>
    lock.renewEveryMs * 3 < lock.silenceMs
      ? undefined
      : 'lock.silenceMs must be more than three times lock.renewEveryMs: two renewals may be lost',
  ({ lock }) =>
    lock.silenceMs % 1_000 === 0 ? undefined : 'lock.silenceMs must be whole seconds: a Lease stores no fractions',
  ({ lock }) =>
    lock.outageMs <= lock.silenceMs
      ? undefined
      : 'lock.outageMs must not be more than lock.silenceMs: the lock would be lost before the outage is given up',
  ({ lock, claims }) =>
    claims.shortestSilenceMs <= lock.silenceMs
      ? undefined
      : 'claims.shortestSilenceMs must not be more than lock.silenceMs: the webhook would refuse the renewals',
  ({ lock, claims }) =>
    lock.renewEveryMs * 3 <= claims.shortestSilenceMs
      ? undefined
      : 'claims.shortestSilenceMs must be three times lock.renewEveryMs or more: two renewals may be lost',
  ({ claims }) =>
    claims.orphanAfterMs > CLAIM_VOID_MS
      ? undefined
      : `claims.orphanAfterMs must be more than ${CLAIM_VOID_MS}: a claim is valid for as long without a record`,
  ({ election }) =>
    election.leaseMs % 1_000 === 0 ? undefined : 'election.leaseMs must be whole seconds: a Lease stores no fractions',
  ({ election }) =>
    election.renewDeadlineMs < election.leaseMs
      ? undefined
      : 'election.renewDeadlineMs must be less than election.leaseMs: two replicas would lead at once',
  ({ election }) =>
    election.retryMs * 2 < election.renewDeadlineMs
      ? undefined
      : 'election.renewDeadlineMs must be more than twice election.retryMs: one renewal may be lost',
  ({ mirrors }) =>
    mirrors.lastBackoffMs * 1.5 < mirrors.staleAfterMs
      ? undefined
      : 'mirrors.staleAfterMs must be more than one and a half times mirrors.lastBackoffMs: a watch that breaks off is no fault',
  ordered('mirrors', 'firstBackoffMs', 'lastBackoffMs'),
  ordered('certificates', 'firstBackoffMs', 'lastBackoffMs'),
  ordered('sweep', 'firstRepairPauseMs', 'lastRepairPauseMs'),
  ordered('lock', 'firstRecoveryRetryMs', 'lastRecoveryRetryMs'),
  ordered('lock', 'firstCommandRetryMs', 'lastCommandRetryMs'),
];

/** Every relation that a set of intervals breaks. */
export const findBrokenRelations = (intervals: Intervals): readonly string[] =>
  RELATIONS.flatMap((problemOf) => problemOf(intervals) ?? []);
