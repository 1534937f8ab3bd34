import type { ReleaseRecord } from '../../helm/record.ts';
import type { LockSource } from '../../policy/lock.ts';
import type { Policy } from '../../policy/policy.ts';
import { builtInPolicy } from '../../policy/policy-in-force.ts';
import { findFreezes, findMaintenanceWindow, findVersionLocks, type NamespaceFacts } from '../../rules/locks.ts';

/** A lock in force, named like the command that sets it. */
export type LockKind = 'frozen' | 'pinned' | 'no-downgrade' | 'open';

export interface Lock {
  readonly kind: LockKind;
  /** Where the lock is stored. The same lock on several revisions counts as one. */
  readonly sources: readonly LockSource[];
  readonly reason?: string | undefined;
  readonly by?: string | undefined;
  /** Milliseconds since the epoch; undefined: until it is lifted. */
  readonly untilMs?: number | undefined;
  readonly range?: string | undefined;
}

type Single = Omit<Lock, 'sources'> & { readonly source: LockSource };

/** Joins equal locks on several revisions, as `kubectl annotate -l` sets them. */
const joinAlike = (locks: readonly Single[]): readonly Lock[] =>
  [
    ...Map.groupBy(locks, ({ source, kind, reason, by, untilMs, range }) =>
      JSON.stringify([kind, source.kind, source.namespace, reason, by, untilMs, range]),
    ).values(),
  ].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { source: _source, ...lock } = first;
    return [{ ...lock, sources: group.map(({ source }) => source) }];
  });

/** Undefined `policy`: it may not be read, and its locks are left out. */
export const locksOf = (
  records: readonly ReleaseRecord[],
  namespaces: readonly NamespaceFacts[],
  policy: Policy | undefined,
  nowMs: number,
): readonly Lock[] => {
  const inForce = policy ?? builtInPolicy(0);
  const open = findMaintenanceWindow(records, namespaces, nowMs);
  const { pins, noDowngrades } = findVersionLocks(records, namespaces, inForce);
  return joinAlike([
    ...findFreezes(records, namespaces, inForce, nowMs).map((freeze) => ({ kind: 'frozen' as const, ...freeze })),
    ...pins.map((pin) => ({ kind: 'pinned' as const, ...pin })),
    ...noDowngrades.map((source) => ({ kind: 'no-downgrade' as const, source })),
    ...(open === undefined ? [] : [{ kind: 'open' as const, ...open }]),
  ]);
};
