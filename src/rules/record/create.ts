import { operationOf, type ReleaseRecord } from '../../helm/record.ts';
import { isHolder, newestOf } from '../in-flight.ts';
import { allow } from '../verdict.ts';
import { findDisagreement } from './agreement.ts';
import { protect, refuseFrozen, refuseInFlight } from './refuse.ts';
import { start } from './start.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

/** Whether this is the revision for which its writer has been admitted (at-rest.ts), and which has not appeared yet. */
const isAwaited = ({ state, write }: RecordContext, after: ReleaseRecord): boolean =>
  state.state === 'in-flight' &&
  state.inFlight.record === undefined &&
  state.inFlight.operation === 'upgrade' &&
  state.inFlight.revision === after.revision &&
  isHolder(state.inFlight, write.username);

/** A new revision: an install, upgrade or rollback that begins, or a record that is put back. */
export const judgeCreate = (context: RecordContext, after: ReleaseRecord): RecordVerdict => {
  const { write, facts, freezes, state } = context;
  const disagreement = findDisagreement(write, after);
  if (disagreement !== undefined) return disagreement;
  const operation = operationOf(after.status);
  const newest = newestOf(facts.records, after.kind)?.revision ?? 0;
  if (operation !== undefined) {
    if (after.revision > newest || state.state === 'in-flight') return start(context, operation, after.revision);
    // Helm chose its revision from what it saw some time ago. Let through, this would be an operation that nobody has claimed.
    const problem = `revision ${newest} has been stored since Helm looked`;
    return protect(write, after, problem, 'run the command again');
  }
  // What is deployed from now on: mapkubeapis stores its copy, or a backup is restored. To the release that is an upgrade.
  if (after.status === 'deployed' && after.revision > newest) {
    const kind = newest === 0 ? 'install' : 'upgrade';
    if (!isAwaited(context, after)) return start(context, kind, after.revision);
    // Its own claim once more, so that the locks on versions are held against what it really brings.
    return {
      ...allow('start'),
      claim: { operation: kind, revision: after.revision, recordVersion: undefined, takesOver: undefined },
    };
  }
  // The rest of a backup, in any order.
  if (freezes.length > 0) return refuseFrozen(context, 'record edit');
  if (state.state === 'in-flight') return refuseInFlight(context, 'record edit');
  return allow('stored');
};
