import { isOfUninstall } from '../helm/delete-hooks.ts';
import type { OperationKind, ReleaseName } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { ObjectRef } from '../kubernetes/object.ts';
import type { Freeze } from '../policy/lock.ts';
import type { MaintenanceWindow } from '../policy/lock-annotations.ts';
import type { PolicyRule } from './actions.ts';
import { type Claim, isHolder, type OperationState } from './in-flight.ts';
import { withSlowHolder } from './object.ts';
import { allow, deny, type Verdict } from './verdict.ts';

/** The creation or the deletion of an object that a stored revision lists as a hook of its uninstall. */
export interface HookWrite {
  readonly release: ReleaseName;
  readonly username: string;
  readonly attempt: 'create' | 'delete';
  readonly object: ObjectRef;
  /** All events of the hook. */
  readonly events: readonly string[];
}

export interface HookFacts {
  /** The revision that lists the hook. */
  readonly listing: ReleaseRecord;
  /** `name-version` of its chart. */
  readonly chart: string;
  readonly operation: OperationState;
  readonly claim: Claim | undefined;
  readonly freezes: readonly Freeze[];
  /** Whether the policy enforces one operation at a time. */
  readonly serialized: boolean;
  readonly open: MaintenanceWindow | undefined;
}

/** The events of each operation's hooks. */
export const EVENTS: Readonly<Record<OperationKind, readonly string[]>> = {
  install: ['pre-install', 'post-install'],
  upgrade: ['pre-upgrade', 'post-upgrade'],
  rollback: ['pre-rollback', 'post-rollback'],
  uninstall: ['pre-delete', 'post-delete'],
};

/** `helm test` is no operation, and works on a frozen release. `test-success` is its name of Helm 2. */
const isOfTest = (event: string): boolean => event === 'test' || event === 'test-success';

/** Why a hook runs whatever others think of it. */
export const OF_OPERATION = 'hook of the operation';

/**
 * Judges a hook of an uninstall. Helm goes on after its write of `uninstalling` was refused, and runs the hooks: it deletes what is left of an earlier
 * run, and creates the hook anew. So both are refused where no uninstall of the user was admitted.
 */
export const judgeHook = (
  write: HookWrite,
  { listing, chart, operation, claim, freezes, serialized, open }: HookFacts,
  waived: ReadonlySet<PolicyRule>,
): Verdict => {
  const { release, username, attempt, object, events } = write;
  if (events.some(isOfTest)) return allow('test');
  const isFrozen = freezes.length > 0 && !waived.has('freeze');
  const state = withSlowHolder(operation, username, freezes.length > 0);
  if (state.state === 'in-flight') {
    const { inFlight } = state;
    if (!serialized) return allow('not serialized');
    const isOwn = isHolder(inFlight, username) && events.some((event) => EVENTS[inFlight.operation].includes(event));
    if (isOwn) return allow(OF_OPERATION);
  }
  if (isFrozen) return deny({ code: 'BelayFrozen', release, attempt, freezes, object, isHook: true });
  if (state.state === 'in-flight' && !waived.has('operations')) {
    return deny({ code: 'BelayOperationInFlight', release, attempt, inFlight: state.inFlight, object, isHook: true });
  }
  // Some clients delete the newest record before the last hooks of their uninstall. The claim tells what was admitted last.
  if (claim?.operation === 'uninstall' && claim.holder === username) return allow(OF_OPERATION);
  // People clean up behind hooks, and tools that restore a backup bring back what a hook of an install had left.
  if (attempt === 'delete' || !events.every((event) => isOfUninstall([event]))) return allow('hook at rest');
  if (open !== undefined || waived.has('drift')) return allow('waived');
  return deny({
    code: 'BelayDrift',
    release,
    attempt,
    object,
    governing: { revision: listing.revision, chart },
    recordKind: listing.kind,
    changes: [],
    isHook: true,
  });
};
