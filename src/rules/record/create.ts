import { operationOf, type ReleaseRecord } from '../../helm/record.ts';
import { newestOf } from '../in-flight.ts';
import { allow } from '../verdict.ts';
import { findDisagreement } from './agreement.ts';
import { protect, refuseFrozen, refuseInFlight } from './refuse.ts';
import { start } from './start.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

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
  // Not an operation: a backup is restored (any status, any order), or mapkubeapis writes its copy as `deployed`.
  if (freezes.length > 0) return refuseFrozen(context, 'record edit');
  if (state.state === 'in-flight') return refuseInFlight(context, 'record edit');
  return allow('stored');
};
