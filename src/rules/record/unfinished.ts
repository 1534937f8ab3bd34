import type { ReleaseRecord } from '../../helm/record.ts';
import { highestDeployed, highestSuperseded, isClaimOf, isHolder } from '../in-flight.ts';
import { allow, type Verdict } from '../verdict.ts';
import { freezeInstead, overtakenBy, protect, refuseFrozen, refuseInFlight } from './refuse.ts';
import { start } from './start.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

/** Judges an update of a pending or uninstalling revision below a newer one. Its writer was overtaken and is refused. */
export const judgeOvertaken = (
  context: RecordContext,
  before: ReleaseRecord,
  after: ReleaseRecord,
  newest: ReleaseRecord,
): Verdict => {
  const { write, facts, state } = context;
  const mayRetire = state.state === 'in-flight' ? isHolder(state.inFlight, write.username) : true;
  if (after.status === 'superseded' && mayRetire) return allow('retired');
  return overtakenBy(write.release, before, newest, facts.claim);
};

/**
 * Whether the user holds the uninstall in flight. A hook of it may have failed, which leaves it so. Helm goes on after a refusal, and the user may
 * delete what is left as the holder of the first uninstall: so the second one is judged as one with it, and is not refused.
 */
const isOwnUninstall = ({ state, write }: RecordContext): boolean =>
  state.state === 'in-flight' &&
  state.inFlight.operation === 'uninstall' &&
  state.inFlight.record !== undefined &&
  state.inFlight.holder === write.username;

const startAgain = ({ revision, resourceVersion }: ReleaseRecord): RecordVerdict => ({
  ...allow('start'),
  claim: { operation: 'uninstall', revision, recordVersion: resourceVersion, takesOver: undefined },
});

/** Judges an update to `uninstalling`: an uninstall starts, or goes on. */
export const judgeUninstalling = (
  context: RecordContext,
  before: ReleaseRecord,
  after: ReleaseRecord,
): RecordVerdict => {
  const { write, facts, state } = context;
  // Helm writes `uninstalling` again for its hooks. A second `helm uninstall` also writes it again, with a new time of deletion.
  const sameUninstall =
    before.status === 'uninstalling' &&
    write.payload !== undefined &&
    write.payload.deleted === write.payloadBefore?.deleted;
  if (!sameUninstall)
    return isOwnUninstall(context)
      ? startAgain(before)
      : start(context, 'uninstall', after.revision, before.resourceVersion);
  if (state.state === 'in-flight') {
    return isHolder(state.inFlight, write.username) ? allow('progress') : refuseInFlight(context, 'uninstall');
  }
  const ours = facts.claim === undefined || (isClaimOf(facts.claim, before) && facts.claim.holder === write.username);
  return ours ? allow('progress') : start(context, 'uninstall', after.revision, before.resourceVersion);
};

/** The statuses that Helm gives to the revision of an operation when it ends. */
const COMPLETIONS: ReadonlySet<string> = new Set(['deployed', 'failed', 'superseded']);

/** Whether Helm ends an operation so. It says of no revision that it is uninstalled but of one that it has uninstalled. */
const isCompletion = (before: ReleaseRecord, after: ReleaseRecord): boolean =>
  COMPLETIONS.has(after.status) || (after.status === 'uninstalled' && before.status === 'uninstalling');

/**
 * Whether a release that ran would be left without a revision that runs: the operation has superseded the old one already, and its own would
 * be superseded as well. Then Helm could not tell what runs, and nothing would be guarded.
 */
const leavesNothing = ({ facts: { records } }: RecordContext, after: ReleaseRecord): boolean =>
  after.status === 'superseded' && highestDeployed(records) === undefined && highestSuperseded(records) !== undefined;

/** Judges an update of a pending or uninstalling revision: its status changes, or its hooks have run. */
export const judgeUnfinished = (context: RecordContext, before: ReleaseRecord, after: ReleaseRecord): Verdict => {
  const { write, facts, freezes, state } = context;
  const moved = after.status !== before.status;
  if (moved && !isCompletion(before, after)) {
    return protect(
      write,
      before,
      `its status never goes from ${before.status} to ${after.status}`,
      freezeInstead(before),
    );
  }
  if (leavesNothing(context, after) && (state.state !== 'in-flight' || isHolder(state.inFlight, write.username))) {
    return protect(
      write,
      before,
      'as superseded it would leave no revision that runs: the one before it is superseded already',
      `an operation that did not succeed ends as failed; to go back to an older revision: helm rollback ${write.release.name} -n ${before.namespace}`,
    );
  }
  if (state.state === 'in-flight') {
    return isHolder(state.inFlight, write.username)
      ? allow(moved ? 'completion' : 'progress')
      : refuseInFlight(context, 'record edit');
  }
  // The holder of an admitted operation may finish it late, as long as nobody has taken over.
  const claim = facts.claim;
  if (claim === undefined || !isClaimOf(claim, before) || claim.holder === write.username)
    return allow('late completion');
  if (freezes.length > 0) return refuseFrozen(context, 'record edit');
  // Flux and people end a dead operation with these statuses.
  if (after.status === 'failed' || after.status === 'superseded') return allow('retired');
  return protect(
    write,
    before,
    `only ${JSON.stringify(claim.holder)}, who began this ${claim.operation}, may move it to ${after.status}`,
    'start the next operation: it takes over',
  );
};
