import type { ReleaseName } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { ObjectRef } from '../kubernetes/object.ts';
import type { Freeze } from '../policy/lock.ts';
import type { Open } from '../policy/lock-annotations.ts';
import type { PolicyRule } from './actions.ts';
import { findGoverning, isHolder, newestOf, type OperationState, type ReleaseFacts } from './in-flight.ts';
import { allow, deny, type FieldChange, type Verdict } from './verdict.ts';

/** One write of an object that carries a release's ownership marks, before its manifest has been looked at. */
export interface ObjectWrite {
  readonly release: ReleaseName;
  readonly username: string;
  readonly attempt: 'change' | 'delete' | 'create' | 'scale';
  readonly object: ObjectRef;
}

/**
 * The first half of the judgement, from metadata alone: either the verdict, or the record whose manifest has to be asked.
 */
export type ObjectOutlook =
  | { readonly settled: true; readonly verdict: Verdict; readonly heardFromHolder: boolean }
  | { readonly settled: false; readonly governing: ReleaseRecord; readonly state: OperationState };

const settle = (why: string, heardFromHolder = false): ObjectOutlook => ({
  settled: true,
  verdict: allow(why),
  heardFromHolder,
});

/**
 * Stale is whoever was not heard of for long. A holder that nobody has overtaken and that writes now was only slow (a hook may run
 * for longer than `staleAfter`), and goes on where it was. What was declared dead stays dead.
 */
const heardOf = (state: OperationState, username: string): OperationState =>
  state.state === 'dead' && state.reason === 'stale' && state.was.holder === username
    ? { state: 'in-flight', inFlight: state.was }
    : state;

/** What the first half is told beside the facts. */
export interface ObjectSituation {
  /** By `findOperation`. */
  readonly operation: OperationState;
  /** Whether any freeze is in force. */
  readonly frozen: boolean;
  /** Whether the policy enforces one operation at a time. Where it does not, nobody can tell whose write belongs to one. */
  readonly serialized: boolean;
}

/** Decides what metadata can decide: the holder's own writes, and releases that govern nothing (DESIGN.md 4.3). */
export const lookAtObject = (
  write: ObjectWrite,
  facts: ReleaseFacts,
  { operation, frozen, serialized }: ObjectSituation,
): ObjectOutlook => {
  if (facts.records.length === 0) return settle('no release');
  const state = heardOf(operation, write.username);
  if (state.state === 'in-flight') {
    const { inFlight } = state;
    if (!serialized) return settle('not serialized');
    // The holder may not delete what the manifest in flight lists: those are the deletes of an uninstall that was refused.
    const mayDelete = write.attempt !== 'delete' || inFlight.operation === 'uninstall';
    if (isHolder(inFlight, write.username) && mayDelete) return settle('holder', true);
  }
  let governing = findGoverning(facts, state);
  if (governing === undefined && frozen) {
    // Nothing is deployed, but frozen means frozen: Helm goes on deleting after a refused `uninstalling`.
    governing = newestOf(facts.records, 'Secret') ?? newestOf(facts.records, 'ConfigMap');
  }
  return governing === undefined ? settle('nothing governs') : { settled: false, governing, state };
};

/** What the governing manifest adds. */
export interface GovernedFacts {
  readonly governing: ReleaseRecord;
  readonly state: OperationState;
  /** `name-version` of the governing revision's chart. */
  readonly chart: string;
  readonly listed: boolean;
  /** For `change` and `scale`; empty when the write leaves everything as the chart wants it. */
  readonly changes: readonly FieldChange[];
  /** For `create`: whether it brings the object back exactly as the chart has it. */
  readonly restores: boolean;
  /** For `change`: whether it gives the object an owner. Asked of a frozen release alone. */
  readonly gainsOwner: boolean;
  readonly freezes: readonly Freeze[];
  readonly open: Open | undefined;
}

/** Why an object that was missing may be created by whomever. */
export const RESTORES = 'restores the chart';

/** The second half: is this object governed, and is the write drift? `waived` are the rules that the policy does not enforce. */
export const judgeObject = (
  write: ObjectWrite,
  governed: GovernedFacts,
  waived: ReadonlySet<PolicyRule> = NOTHING_WAIVED,
): Verdict => {
  const { release, attempt, object } = write;
  const { governing, state, freezes, open } = governed;
  if (!governed.listed) return allow('not listed');
  const isEdit = attempt === 'change' || attempt === 'scale';
  const isFrozen =
    freezes.length > 0 &&
    !waived.has('freeze') &&
    !(state.state === 'in-flight' && isHolder(state.inFlight, write.username));
  // Operators make themselves owners of what they work with. But what is frozen does not go, not with its owner either.
  if (isEdit && governed.changes.length === 0 && !(isFrozen && governed.gainsOwner)) return allow('no drift');
  if (isFrozen) return deny({ code: 'BelayFrozen', release, attempt, freezes, object });
  if (attempt === 'delete' && state.state === 'in-flight' && !waived.has('operations')) {
    return deny({ code: 'BelayOperationInFlight', release, attempt, inFlight: state.inFlight, object });
  }
  // While an operation is in flight, what is missing may be on its way, and it is not for others to create it.
  if (attempt === 'create' && governed.restores && state.state !== 'in-flight') return allow(RESTORES);
  if (waived.has('drift')) return allow('waived');
  if (open !== undefined) return passOpen(write, open);
  return deny({
    code: 'BelayDrift',
    release,
    attempt,
    object,
    governing: { revision: governing.revision, chart: governed.chart },
    recordKind: governing.kind,
    changes: governed.changes,
  });
};

const NOTHING_WAIVED: ReadonlySet<PolicyRule> = new Set();

const passOpen = ({ release, username, attempt, object }: ObjectWrite, open: Open): Verdict => {
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
