import type { LockSource } from '../../policy/lock.ts';
import { showName } from '../../text/escape.ts';
import type { ClusterAccess } from '../access/cluster-access.ts';
import type { Invocation } from '../invocation.ts';
import { warn } from '../output/say.ts';
import type { LockKind } from '../releases/locks.ts';
import { look } from '../releases/look.ts';
import type { LockEdit } from './lock-edit.ts';

const STILL: Readonly<Record<LockKind, string>> = {
  frozen: 'frozen',
  pinned: 'pinned',
  'no-downgrade': 'kept from downgrades',
  open: 'open',
};

const UNDO: Readonly<Record<LockKind, string>> = {
  frozen: 'unfreeze --namespace-wide',
  pinned: 'unpin --namespace-wide',
  'no-downgrade': 'no-downgrade off --namespace-wide',
  open: 'close --namespace-wide',
};

const showSource = ({ kind, name }: LockSource): string =>
  kind === 'Namespace' ? `namespace ${showName(name)}` : `${kind} ${showName(name)}`;

/** Whoever lifts a lock expects the release to move: says so where another one of its kind holds on. */
export const warnOfOthers = async (
  { api, namespace }: ClusterAccess,
  { releases }: { readonly releases: readonly string[] },
  { kind }: LockEdit,
  { name: program }: Invocation,
): Promise<void> => {
  if (kind === undefined || releases.length === 0) return;
  const { views } = await look(api, { namespace, names: [...new Set(releases)] }, { withCharts: false });
  for (const { release, locks } of views) {
    for (const { sources } of locks.filter((lock) => lock.kind === kind)) {
      const lift = sources.some((source) => source.kind === 'Namespace')
        ? `; to lift that: ${program} ${UNDO[kind]} -n ${showName(namespace)}`
        : '';
      warn(
        `release ${showName(release.name)} is still ${STILL[kind]}, by ${sources.map(showSource).join(', ')}${lift}`,
      );
    }
  }
};
