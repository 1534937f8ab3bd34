import { operationOf, type ReleaseRecord } from '../../helm/record.ts';
import { isHolder } from '../in-flight.ts';
import { allow, type Verdict } from '../verdict.ts';
import { freezeInstead, protect, refuseFrozen, refuseInFlight } from './refuse.ts';
import type { RecordContext } from './write.ts';

/** Statuses at rest that Helm supersedes before the CREATE that starts its operation (`install --replace`, `upgrade --install` after `--keep-history`). */
const SUPERSEDED_BEFORE_START: ReadonlySet<string> = new Set(['uninstalled', 'failed']);

/** A revision of which no operation is under way: its status moves only as Helm moves it. */
export const judgeAtRest = (context: RecordContext, before: ReleaseRecord, after: ReleaseRecord): Verdict => {
  const { write, facts, freezes, state } = context;
  if (after.status === before.status) return allow('unchanged status'); // hooks of `helm test`, or a failing upgrade
  if (operationOf(after.status) !== undefined && after.status !== 'uninstalling') {
    return protect(
      write,
      before,
      `a stored revision's status never goes from ${before.status} to ${after.status}: that would look like an operation that never ends`,
      freezeInstead(before),
    );
  }
  if (after.status === 'superseded') {
    if (state.state === 'in-flight') {
      return isHolder(state.inFlight, write.username) ? allow('superseded') : refuseInFlight(context, 'record edit');
    }
    const claim = facts.claim;
    const finishing =
      state.state === 'dead' &&
      state.was.revision > before.revision &&
      (claim === undefined || claim.holder === write.username);
    if (finishing) return allow('late completion');
    if (freezes.length > 0) return refuseFrozen(context, 'record edit');
    if (SUPERSEDED_BEFORE_START.has(before.status)) return allow('superseded');
  }
  return protect(
    write,
    before,
    `a stored revision's status does not go from ${before.status} to ${after.status} outside of an operation`,
    freezeInstead(before),
  );
};
