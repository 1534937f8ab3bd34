import { isPending, operationOf, type ReleaseRecord } from '../../helm/record.ts';
import { highestDeployed, isHolder, lastDeployed, newestOf } from '../in-flight.ts';
import { allow, type Verdict } from '../verdict.ts';
import { isLateRetirement } from './late-retirement.ts';
import { freezeInstead, overtakenBy, protect, refuseFrozen, refuseInFlight } from './refuse.ts';
import { start } from './start.ts';
import { isTakenBack } from './take-back.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

/** Statuses that Helm supersedes before the CREATE that starts its operation: `install --replace`, `upgrade --install` after `--keep-history`. */
const SUPERSEDED_BEFORE_START: ReadonlySet<string> = new Set(['uninstalled', 'failed']);

/** Whether the release would be left without a revision that runs: a failed operation had superseded the one before it. */
const leavesNothing = ({ facts: { records } }: RecordContext, before: ReleaseRecord): boolean =>
  before.status === 'failed' && highestDeployed(records) === undefined && lastDeployed(records) !== undefined;

const FOR_MAPKUBEAPIS = '; for mapkubeapis, the verb break on releases.belay.dev is needed';

/**
 * mapkubeapis supersedes the newest revision, and then stores a copy of it as deployed (helm/helm-mapkubeapis pkg/v3/release.go). That is
 * an operation without a pending revision, so it is claimed as an upgrade to the next revision. Its first write looks like an attempt to
 * leave nothing deployed, and so nothing guarded. Therefore the user needs the right to break.
 */
const isSucceededAtOnce = ({ facts, write }: RecordContext, before: ReleaseRecord): boolean =>
  before.status === 'deployed' && write.mayBreak && newestOf(facts.records, before.kind)?.name === before.name;

/**
 * Refuses what an operation still writes that somebody else has ended: Flux marks a stale one failed, and begins its own. The slow Helm then learns
 * who has overtaken it.
 */
const refuseEnded = (
  { write, facts }: RecordContext,
  before: ReleaseRecord,
  after: ReleaseRecord,
): Verdict | undefined => {
  const newest = newestOf(facts.records, before.kind);
  const goesOn = after.status === 'deployed' || isPending(after.status);
  if (before.status !== 'failed' || !goesOn || newest === undefined || newest.revision <= before.revision)
    return undefined;
  return overtakenBy(write.release, before, newest, facts.claim);
};

/** Judges an update of a revision whose operation is over. Its status changes only as Helm changes it. */
export const judgeAtRest = (context: RecordContext, before: ReleaseRecord, after: ReleaseRecord): RecordVerdict => {
  const { write, facts, freezes, state } = context;
  if (after.status === before.status) return allow('unchanged status'); // `helm test` stores the runs of its hooks, and so does a failing upgrade
  if (isTakenBack(context, before, after)) {
    return freezes.length > 0 ? refuseFrozen(context, 'record edit') : allow('taken back');
  }
  const overtaken = refuseEnded(context, before, after);
  if (overtaken !== undefined) return overtaken;
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
    if (finishing || isLateRetirement(context, before)) return allow('late completion');
    if (freezes.length > 0) return refuseFrozen(context, 'record edit');
    if (SUPERSEDED_BEFORE_START.has(before.status) && !leavesNothing(context, before)) return allow('superseded');
    if (isSucceededAtOnce(context, before)) return start(context, 'upgrade', before.revision + 1);
  }
  return protect(
    write,
    before,
    `a stored revision's status does not go from ${before.status} to ${after.status} outside of an operation`,
    `${freezeInstead(before)}${before.status === 'deployed' && after.status === 'superseded' ? FOR_MAPKUBEAPIS : ''}`,
  );
};
