import type { HookAccount } from '../helm/hook-accounts.ts';
import { type ObjectRef, serviceAccountUser } from '../kubernetes/object.ts';
import { EVENTS } from './hook.ts';
import type { OperationState } from './in-flight.ts';
import { withSlowHolder } from './object.ts';
import type { InFlight } from './verdict.ts';

/** Why an account of a hook writes what its release governs. */
export const HOOK_OF_OPERATION = 'account of a hook';

/** The operation whose hooks may run: one in flight, or one that its holder may still be waiting in. A hook may run for longer than `staleAfter`. */
export const operationWithHooks = (operation: OperationState, frozen: boolean): InFlight | undefined => {
  const holder = operation.state === 'dead' ? operation.was.holder : undefined;
  const state = holder === undefined ? operation : withSlowHolder(operation, holder, frozen);
  return state.state === 'in-flight' ? state.inFlight : undefined;
};

export interface AccountsOfHooks {
  /** The namespace of the release's objects. */
  readonly home: string;
  readonly accounts: readonly HookAccount[];
}

/**
 * Whether the user is an account that a hook of the operation runs as (docs/design.md#governed-objects). An account of another namespace than the release's
 * counts for objects of its own namespace alone; without an object, it is only asked who the user is.
 */
export const isAccountOfHook = (
  username: string,
  { operation }: Pick<InFlight, 'operation'>,
  { home, accounts }: AccountsOfHooks,
  object?: ObjectRef,
): boolean =>
  accounts.some((account) => {
    const namespace = account.namespace === '' ? home : account.namespace;
    return (
      username === serviceAccountUser(namespace, account.name) &&
      account.events.some((event) => EVENTS[operation].includes(event)) &&
      (object === undefined || namespace === home || namespace === object.namespace)
    );
  });
