import type { LockSource } from '../../policy/lock.ts';
import { showName } from '../../text/escape.ts';
import type { ClusterAccess } from '../access/cluster-access.ts';
import type { Invocation } from '../invocation.ts';
import { warn } from '../output/say.ts';
import { findReleases } from '../releases/find-releases.ts';
import type { LockKind } from '../releases/locks.ts';
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

/** Warns when another lock of the same kind still holds: a user who lifts a lock expects the release to be free. */
export const warnOfOthers = async (
  { api, namespace }: ClusterAccess,
  { releases }: { readonly releases: readonly string[] },
  { kind }: LockEdit,
  { name: program }: Invocation,
): Promise<void> => {
  if (kind === undefined || releases.length === 0) return;
  const { views } = await findReleases(api, { namespace, names: [...new Set(releases)] }, { withCharts: false });
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
