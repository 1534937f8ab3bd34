import { isUnfinished, type ReleaseRecord } from '../../helm/record.ts';
import { isClaimOf } from '../in-flight.ts';
import { allow, type Verdict } from '../verdict.ts';
import { protect } from './refuse.ts';
import type { RecordContext } from './write.ts';

/** Whether a write makes an unfinished operation look as if its Helm had just written. */
export const isSignOfLife = (before: ReleaseRecord, after: ReleaseRecord): boolean =>
  isUnfinished(after.status) && after.updatedAtMs > before.updatedAtMs;

/**
 * Judges an update that leaves the payload and Helm's own labels as they are. Only the holder may move the time of the last write (the label
 * `modifiedAt`, the times in managedFields): by it any user would keep a dead operation of somebody else alive.
 */
export const judgeMetadata = (
  { write, facts: { claim } }: RecordContext,
  before: ReleaseRecord,
  after: ReleaseRecord,
): Verdict => {
  if (!isSignOfLife(before, after)) return allow('metadata');
  if (claim === undefined || !isClaimOf(claim, before) || claim.holder === write.username) return allow('metadata');
  return protect(
    write,
    before,
    `only ${JSON.stringify(claim.holder)}, who began this ${claim.operation}, may say that it is alive`,
    'leave the label modifiedAt and the managedFields as they are',
  );
};
