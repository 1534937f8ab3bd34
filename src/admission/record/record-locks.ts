import { isUnfinished, type ReleaseRecord } from '../../helm/record.ts';
import { holdsLock, lockedBefore } from '../../policy/carried-locks.ts';
import { type Annotations, BREAK } from '../../policy/lock-annotations.ts';
import { isClaimOf, type ReleaseFacts, refOf } from '../../rules/in-flight.ts';
import { locksOf } from '../../rules/locks.ts';
import { deny, type Verdict } from '../../rules/verdict.ts';
import { type JudgeLockWriteDependencies, judgeLockWrite } from '../lock-change.ts';
import type { Review } from '../wire/review.ts';
import type { RecordReview } from './read-record-review.ts';

/** The annotations that a write of locks is compared with. */
const locksBefore = ({ before, after }: RecordReview, others: readonly ReleaseRecord[]): Annotations => {
  if (before === undefined) {
    // Locks that /mutate has carried over from other revisions are nobody's new locks. Another value in their place replaces them.
    return lockedBefore(locksOf(others), after?.locks ?? {});
  }
  const old = before.locks ?? {};
  if (after?.status !== 'superseded' || before.status === 'superseded') return old;
  // A superseded revision hands its locks on. A lock that a newer revision carries may go from this one.
  const isHandedOn = (key: string): boolean =>
    others.some((record) => record.revision > before.revision && holdsLock(key, old, record.locks));
  return Object.fromEntries(
    Object.entries(old).filter(([key]) => after.locks?.[key] !== undefined || !isHandedOn(key)),
  );
};

/** Undefined when the write touches no lock. Refused when a lock cannot be read, or when the user has no right to it. */
export const judgeRecordLocks = async (
  dependencies: JudgeLockWriteDependencies,
  review: Review,
  parsed: RecordReview,
  { records, claim }: ReleaseFacts,
  signal: AbortSignal,
): Promise<Verdict | undefined> => {
  const { before, after, release, locksChanged } = parsed;
  if (after === undefined || !locksChanged) return undefined;
  const source = refOf(after);
  const others = records.filter((record) => record.kind !== after.kind || record.name !== after.name);
  const written = after.locks ?? {};
  if (written[BREAK] !== undefined && before?.locks?.[BREAK] !== written[BREAK] && !isUnfinished(after.status)) {
    return deny({
      code: 'BelayBadLock',
      source,
      annotation: BREAK,
      problem: `stands on a revision that is ${after.status}`,
      remedy: 'write it on the pending record that is to be declared dead',
    });
  }
  // Whoever began an operation may say that it is dead.
  const isOwn = before !== undefined && isClaimOf(claim, before) && claim?.holder === review.user.username;
  return judgeLockWrite(
    dependencies,
    { review, release, source, before: locksBefore(parsed, others), after: written, granted: isOwn ? ['break'] : [] },
    signal,
  );
};
