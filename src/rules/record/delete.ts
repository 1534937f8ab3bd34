import { isPending, type ReleaseRecord } from '../../helm/record.ts';
import { highestDeployed, isHolder, newestOf } from '../in-flight.ts';
import { allow, type Verdict } from '../verdict.ts';
import { refuseLockLoss, refuseLoss } from './loss.ts';
import { otherStorage } from './other-storage.ts';
import { passGone } from './pass-gone.ts';
import { protect, refuseFrozen, refuseInFlight } from './refuse.ts';
import { isRestOfUninstall } from './rest-of-uninstall.ts';
import { isFailedRollback, locksOnlyOn, takeBack } from './take-back.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

/** Judges the delete of a failed rollback. The locks of the release were carried over to it, and must not be lost with it. */
const judgeTakeBack = (context: RecordContext, before: ReleaseRecord): RecordVerdict => {
  const locks = locksOnlyOn(context, before);
  if (locks.length === 0) return takeBack(before);
  return protect(
    context.write,
    before,
    `the lock ${locks.join(', ')} is on no other revision and would be lost with it`,
    'upgrade the release instead: the next revision takes its locks over',
  );
};

/** Whether a record is all that there is of its release. Its locks go with the release then, as they do with an uninstall. */
const isAll = ({ facts }: RecordContext): boolean => facts.records.length === 1;

/** Judges the delete of what a dead operation left. */
const judgeDeadRecord = (context: RecordContext, before: ReleaseRecord): RecordVerdict =>
  (isAll(context) ? undefined : refuseLockLoss(context, before)) ?? passGone(context, before, 'dead operation');

/**
 * Judges the garbage collector's delete of a record that was born with an owner, as operators of Helm make them. With the owner goes the release,
 * but no freeze, and no lock that the rest of the release would be without.
 */
const judgeCollected = (context: RecordContext, before: ReleaseRecord): Verdict => {
  if (context.freezes.length > 0) return refuseFrozen(context, 'record delete');
  return (isAll(context) ? undefined : refuseLockLoss(context, before)) ?? allow('collected');
};

/** Helm's updates of a record take all of its finalizers off. One that is being deleted is gone with them. */
const refuseLastWrite = ({ write }: RecordContext, before: ReleaseRecord): Verdict =>
  protect(
    write,
    before,
    'it is being deleted, and this write takes its last finalizer off: what runs would be without a record',
    `let it go when its operation has ended, and begin anew: helm rollback ${write.release.name} -n ${before.namespace}`,
  );

/** Whether the holder of an operation in flight ends the deletion of an older revision, as Helm does by marking it superseded. */
const isRetiredByHolder = (context: RecordContext, before: ReleaseRecord): boolean => {
  const { write, state } = context;
  return (
    write.endsDeletion === true &&
    state.state === 'in-flight' &&
    isHolder(state.inFlight, write.username) &&
    locksOnlyOn(context, before).length === 0
  );
};

/**
 * Whether a revision says that the release is uninstalled, and another one runs below it of which the last admitted operation was. Helm ends
 * an uninstall in the revision that was there, so no uninstall ever brings a new one.
 */
const isForgedUninstall = ({ facts: { claim, records } }: RecordContext, newest: ReleaseRecord): boolean =>
  claim !== undefined && claim.revision < newest.revision && highestDeployed(records) !== undefined;

const refuseForged = ({ write }: RecordContext, before: ReleaseRecord, { revision }: ReleaseRecord): Verdict =>
  protect(
    write,
    before,
    `revision ${revision} says that the release is uninstalled, and no uninstall has stored that revision`,
    `take the release up again, by helm upgrade --install ${write.release.name} -n ${before.namespace}; then helm uninstall removes it`,
  );

/** Judges the delete of a record: by an uninstall, by the pruning of history, or of a revision that a dead operation left. */
export const judgeDelete = (context: RecordContext, before: ReleaseRecord): RecordVerdict => {
  const { write, facts, freezes, state } = context;
  if (write.terminating) return allow('terminating namespace');
  // Nothing is lost with a record that says nothing about the release.
  if (otherStorage(facts, before) !== undefined) return allow('other storage');
  const newest = newestOf(facts.records, before.kind) ?? before;
  if (state.state === 'in-flight') {
    const { inFlight } = state;
    if (inFlight.operation === 'uninstall' && inFlight.record !== undefined) {
      if (isHolder(inFlight, write.username)) return allow('uninstall');
      // The uninstall deleted it in the open. Whoever put the finalizer there takes it off, in the holder's time or in its own.
      if (write.endsDeletion === true || write.isCollected === true) return allow('deletion goes on');
      return refuseInFlight(context, 'record delete');
    }
    if (write.isCollected === true) return judgeCollected(context, before);
    if (before.revision >= newest.revision) {
      return write.endsDeletion === true ? refuseLastWrite(context, before) : refuseInFlight(context, 'record delete');
    }
    if (isRetiredByHolder(context, before)) return allow('superseded');
  }
  if (write.isCollected === true) return judgeCollected(context, before);
  if (isRestOfUninstall(context)) return allow('uninstall');
  if (freezes.length > 0) return refuseFrozen(context, 'record delete');
  if (write.endsDeletion === true && facts.claim?.operation === 'uninstall') {
    return allow('deletion goes on'); // the uninstall is over, and has left what finalizers keep
  }
  if (state.state === 'dead' && state.was.operation === 'uninstall' && facts.claim?.holder === write.username) {
    return allow('uninstall'); // it is late, but nobody has taken over
  }
  if (newest.status === 'uninstalling') return allow('dead uninstall');
  if (newest.status === 'uninstalled') {
    // helm uninstall after uninstall --keep-history
    return isForgedUninstall(context, newest) ? refuseForged(context, before, newest) : allow('purge');
  }
  if (before.revision >= newest.revision) {
    if (isPending(before.status)) return judgeDeadRecord(context, before);
    if (isFailedRollback(context, before)) return judgeTakeBack(context, before);
  }
  return refuseLoss(context, before) ?? refuseLockLoss(context, before) ?? passGone(context, before, 'prune');
};
