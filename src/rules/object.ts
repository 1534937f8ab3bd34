import type { ReleaseName } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { ObjectRef } from '../kubernetes/object.ts';
import { isController } from '../policy/controllers.ts';
import type { Freeze } from '../policy/lock.ts';
import type { MaintenanceWindow } from '../policy/lock-annotations.ts';
import type { PolicyRule } from './actions.ts';
import { findGoverning, isHolder, newestOf, type OperationState, type ReleaseFacts } from './in-flight.ts';
import { allow, type Denial, deny, type FieldChange, type Verdict } from './verdict.ts';

/** One write of an object that carries a release's ownership annotations. */
export interface ObjectWrite {
  readonly release: ReleaseName;
  readonly username: string;
  readonly attempt: 'change' | 'delete' | 'create' | 'scale';
  readonly object: ObjectRef;
  /** Of a delete: whether an earlier one was admitted, and this write takes the last finalizer off. */
  readonly endsDeletion?: true | undefined;
}

/**
 * The first half of the judgement, from the metadata of records alone: either the verdict, or the records whose manifests decide. The first
 * candidate that lists the object governs it.
 */
export type MetadataJudgement =
  | { readonly settled: true; readonly verdict: Verdict; readonly byHolder: boolean }
  | { readonly settled: false; readonly candidates: readonly ReleaseRecord[]; readonly state: OperationState };

const settle = (why: string, byHolder = false): MetadataJudgement => ({
  settled: true,
  verdict: allow(why),
  byHolder,
});

/**
 * The state, with a stale operation back in flight where its own holder writes. That holder was only slow: a hook may run for longer than
 * `staleAfter`. An operation that somebody declared dead stays dead, and so does every dead operation of a frozen release.
 */
export const withSlowHolder = (state: OperationState, username: string, frozen: boolean): OperationState =>
  !frozen && state.state === 'dead' && state.reason === 'stale' && state.was.holder === username
    ? { state: 'in-flight', inFlight: state.was }
    : state;

/** What the first half needs beside the stored facts. */
export interface ObjectContext {
  /** From `findOperation`. */
  readonly operation: OperationState;
  /** Whether any freeze is in force. */
  readonly frozen: boolean;
  /** Whether the policy enforces one operation at a time. Where it does not, a write cannot be told from a write of some operation. */
  readonly serialized: boolean;
}

/** Why a write may end a deletion that was admitted before. */
const DELETION_GOES_ON = 'deletion goes on';

/** Judges what metadata alone can decide: writes of the holder, and releases that govern nothing (docs/design.md#governed-objects). */
export const judgeFromMetadata = (
  write: ObjectWrite,
  facts: ReleaseFacts,
  { operation, frozen, serialized }: ObjectContext,
): MetadataJudgement => {
  if (facts.records.length === 0) return settle('no release');
  const state = withSlowHolder(operation, write.username, frozen);
  if (state.state === 'in-flight') {
    const { inFlight } = state;
    if (!serialized) return settle('not serialized');
    // What the manifest in flight lists is deleted by an uninstall, or to be created again, or by an uninstall that was refused.
    const mayDelete = write.attempt !== 'delete' || inFlight.operation === 'uninstall';
    if (isHolder(inFlight, write.username) && mayDelete) return settle('holder', true);
    // The uninstall deletes all that the release has. Whoever put a finalizer there takes it off, in the holder's time or in its own.
    if (write.endsDeletion === true && inFlight.operation === 'uninstall') return settle(DELETION_GOES_ON);
  }
  const candidates = candidatesFor(write, facts, state);
  if (candidates.length > 0) return { settled: false, candidates, state };
  // Nothing is deployed, but the freeze still holds: Helm goes on to delete objects after its record of `uninstalling` was refused.
  const newest = frozen ? (newestOf(facts.records, 'Secret') ?? newestOf(facts.records, 'ConfigMap')) : undefined;
  return newest === undefined ? settle('nothing governs') : { settled: false, candidates: [newest], state };
};

/** An upgrade deletes what its own manifest lists no more: for its holder, that manifest alone decides. */
const candidatesFor = (
  { username }: ObjectWrite,
  facts: ReleaseFacts,
  state: OperationState,
): readonly ReleaseRecord[] => {
  const all = findGoverning(facts, state);
  const isOwn = state.state === 'in-flight' && isHolder(state.inFlight, username);
  return isOwn && state.inFlight.record !== undefined ? all.slice(0, 1) : all;
};

/** What the second half needs: facts from the governing revision's manifest, and the locks. */
export interface ManifestFacts {
  readonly governing: ReleaseRecord;
  readonly state: OperationState;
  /** `name-version` of the governing revision's chart. */
  readonly chart: string;
  readonly listed: boolean;
  /** For `change` and `scale`: the drift; empty when there is none. */
  readonly changes: readonly FieldChange[];
  /** The drift while the release is frozen, when the policy leaves less to the writer. Undefined: the same. */
  readonly changesWhileFrozen?: readonly FieldChange[];
  /** Whether the policy trusts the writer while the release is not frozen, and by the name of which policy. */
  readonly trustedBy?: string | undefined;
  /** The preset that a refusal proposes for these changes. */
  readonly presetFor?: (changes: readonly FieldChange[]) => Extract<Denial, { code: 'BelayDrift' }>['preset'];
  /** For `create`: whether it brings the object back exactly as the chart has it. */
  readonly restores: boolean;
  /** For `change`: whether it gives the object an owner. It counts only for a frozen release. */
  readonly gainsOwner: boolean;
  /** For `change`: whether it restarts the Pods of a workload. It counts only for a frozen release. */
  readonly restarts: boolean;
  /** The labels by which the object chooses its Pods. */
  readonly podLabels?: Readonly<Record<string, string>>;
  readonly freezes: readonly Freeze[];
  /** Whether an uninstall by the writer was refused since the operation in flight began. */
  readonly uninstallRefused: boolean;
  readonly open: MaintenanceWindow | undefined;
}

/** Why the holder may delete what its own manifest lists: to create it again. */
export const RECREATES = 'recreates';

/** Why any user may create an object that was missing. */
export const RESTORES_CHART = 'restores the chart';

/**
 * The second half of the judgement: whether the object is governed, and whether the write is drift. The policy does not enforce `waived`.
 * The function is long, because the order of its questions is the rule.
 */
export const judgeObject = (
  write: ObjectWrite,
  governed: ManifestFacts,
  waived: ReadonlySet<PolicyRule> = NOTHING_WAIVED,
): Verdict => {
  const { release, attempt, object, endsDeletion } = write;
  const { governing, state, freezes, open } = governed;
  if (!governed.listed) return allow('not listed');
  const isEdit = attempt === 'change' || attempt === 'scale';
  const isFrozen =
    freezes.length > 0 &&
    !waived.has('freeze') &&
    !(state.state === 'in-flight' && isHolder(state.inFlight, write.username));
  // Operators make themselves owners of objects that they work with. A frozen object must not get an owner, and be deleted with it.
  const changes = isFrozen ? (governed.changesWhileFrozen ?? governed.changes) : governed.changes;
  const isDrift = changes.length > 0;
  if (isEdit && !isDrift && !(isFrozen && (governed.gainsOwner || governed.restarts))) return allow('no drift');
  if (isFrozen) {
    const isRestart = isEdit && !isDrift && governed.restarts;
    const passesUnfrozen = governed.trustedBy !== undefined || (isEdit && isDrift && governed.changes.length === 0);
    return deny({
      code: 'BelayFrozen',
      release,
      attempt,
      freezes,
      object,
      ...(isRestart && { restartOf: governed.podLabels ?? {} }),
      ...(passesUnfrozen && { passesUnfrozen }),
      ...(endsDeletion && { endsDeletion }),
    });
  }
  if (governed.trustedBy !== undefined) return passTrusted(governed.trustedBy);
  // Its deletion was admitted in the open, and operators clean up behind what they have finalizers on.
  if (endsDeletion === true && isController(write.username)) return allow(DELETION_GOES_ON);
  if (attempt === 'delete' && state.state === 'in-flight' && !waived.has('operations')) {
    const { inFlight } = state;
    const isOwn = inFlight.holder === write.username;
    // Helm goes on to delete after its uninstall was refused. Its deletes are like those by which an operation creates objects anew.
    if (isOwn && !governed.uninstallRefused) return allow(RECREATES);
    return deny({
      code: 'BelayOperationInFlight',
      release,
      attempt,
      inFlight,
      object,
      ...(isOwn && { ofRefusedUninstall: true }),
    });
  }
  // While an operation is in flight, it may be about to create the missing object itself.
  if (attempt === 'create' && governed.restores && state.state !== 'in-flight') return allow(RESTORES_CHART);
  if (waived.has('drift')) return allow('waived');
  if (open !== undefined) return passOpen(write, open);
  const preset = changes.length === 0 ? undefined : governed.presetFor?.(changes);
  return deny({
    code: 'BelayDrift',
    release,
    attempt,
    object,
    governing: { revision: governing.revision, chart: governed.chart },
    recordKind: governing.kind,
    changes,
    ...(preset && { preset }),
    ...(endsDeletion && { endsDeletion }),
  });
};

/** A write of somebody whom the policy of that name trusts. */
export const passTrusted = (policy: string): Verdict => ({
  allowed: true,
  why: 'trusted',
  audit: { trusted: `the writer is trusted by ReleasePolicy ${policy}` },
});

const NOTHING_WAIVED: ReadonlySet<PolicyRule> = new Set();

const passOpen = ({ release, username, attempt, object }: ObjectWrite, open: MaintenanceWindow): Verdict => {
  const until = new Date(open.untilMs).toISOString().replace('.000Z', 'Z');
  return {
    allowed: true,
    why: 'open',
    audit: { open: `${attempt} of a governed object while the release is open until ${until}: ${open.reason}` },
    release,
    notes: [
      {
        reason: 'OpenWindowUsed',
        text: `${attempt} of ${object.kind} ${object.name} by ${username}, while the release is open until ${until}: ${open.reason}`,
      },
    ],
  };
};
