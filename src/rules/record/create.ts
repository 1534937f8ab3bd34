import { operationOf, type ReleaseRecord } from '../../helm/record.ts';
import { isHolder, newestOf } from '../in-flight.ts';
import { allow } from '../verdict.ts';
import { findDisagreement } from './agreement.ts';
import { refuseFarAhead } from './next-revision.ts';
import { judgeOtherCreate, otherStorage } from './other-storage.ts';
import { protect, refuseFrozen, refuseInFlight } from './refuse.ts';
import { forRestore, isComeback, isPastOperation, isThereAlready } from './restore.ts';
import { refuseRestored } from './restored.ts';
import { start } from './start.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

/** Whether this is the revision that its writer has claimed already (at-rest.ts), and that has not appeared yet. */
const isAwaited = ({ state, write }: RecordContext, after: ReleaseRecord): boolean =>
  state.state === 'in-flight' &&
  state.inFlight.record === undefined &&
  state.inFlight.operation === 'upgrade' &&
  state.inFlight.revision === after.revision &&
  isHolder(state.inFlight, write.username);

/** Judges a revision that is stored as deployed, as the start of an operation that ends with it. */
const startAtOnce = (context: RecordContext, kind: 'install' | 'upgrade', revision: number): RecordVerdict => {
  const verdict = start(context, kind, revision);
  if (!verdict.allowed || verdict.claim === undefined || !isComeback(context)) return verdict;
  return { ...verdict, claim: { ...verdict.claim, isComeback: true } };
};

/** The refusal, where the verdict would let the write pass. A freeze and an operation in flight are told first. */
const unlessRefused = (verdict: RecordVerdict, refusal: RecordVerdict | undefined): RecordVerdict =>
  verdict.allowed && refusal !== undefined ? refusal : verdict;

/** Judges a new revision: the start of an install, upgrade or rollback, or a record that is restored. */
export const judgeCreate = (context: RecordContext, after: ReleaseRecord): RecordVerdict => {
  const { write, facts, state } = context;
  const disagreement = findDisagreement(write, after);
  if (disagreement !== undefined) return disagreement;
  const other = otherStorage(facts, after);
  if (other !== undefined) return judgeOtherCreate(write, after, other);
  const operation = operationOf(after.status);
  const newest = newestOf(facts.records, after.kind)?.revision ?? 0;
  if (operation !== undefined) {
    if (isPastOperation(context, after)) return allow('stored');
    if (after.revision > newest || state.state === 'in-flight') {
      return unlessRefused(start(context, operation, after.revision), refuseFarAhead(context, after));
    }
    // Helm chose the number from an older list of revisions. If this passed, it would be an operation without a claim.
    const problem = `revision ${newest} has been stored since Helm looked`;
    return protect(write, after, problem, 'run the command again');
  }
  if (isThereAlready(context, after)) return allow('there already');
  const restoring = forRestore(context, after);
  // mapkubeapis stores its copy, or somebody restores a backup. For the release, the new deployed revision is an upgrade.
  if (after.status === 'deployed' && after.revision > newest) {
    const kind = newest === 0 ? 'install' : 'upgrade';
    if (!isAwaited(context, after)) {
      return unlessRefused(startAtOnce(restoring, kind, after.revision), refuseRestored(restoring, after));
    }
    // It claims once more, so that its chart is now checked against the locks on versions.
    return {
      ...allow('start'),
      claim: { operation: kind, revision: after.revision, recordVersion: undefined, takesOver: undefined },
    };
  }
  // The other records of a backup come in any order.
  if (restoring.freezes.length > 0) return refuseFrozen(context, 'record edit');
  if (restoring.state.state === 'in-flight') return refuseInFlight(context, 'record edit');
  return unlessRefused(allow('stored'), refuseRestored(restoring, after));
};
