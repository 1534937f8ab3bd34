import { LOCK_PREFIX, type ReleaseRecord } from '../../helm/record.ts';
import { type Api, isNotFound, METADATA_ONLY, pathOf } from '../../kubernetes/api.ts';
import type { Annotations } from '../../policy/lock-annotations.ts';
import { recordPath } from '../releases/charts.ts';
import { newestIn } from '../releases/release-view.ts';
import { changesFor, type LockEdit } from './lock-edit.ts';

/** Shown in managedFields. */
const FIELD_MANAGER = 'belay';

const MERGE_PATCH = 'application/merge-patch+json';

export const namespacePath = (name: string): string => pathOf('api', 'v1', 'namespaces', name);

const patch = async (
  api: Api,
  path: string,
  annotations: Readonly<Record<string, string | null>>,
  dryRun = false,
): Promise<void> => {
  await api.request({
    method: 'PATCH',
    path,
    query: { fieldManager: FIELD_MANAGER, dryRun: dryRun ? 'All' : undefined },
    body: { metadata: { annotations } },
    contentType: MERGE_PATCH,
    // The answer to a patch of a record would hold its payload.
    accept: METADATA_ONLY,
  });
};

/** The newest revision of each storage: that is where a lock counts from now on. */
const newestOfEach = (records: readonly ReleaseRecord[]): readonly ReleaseRecord[] =>
  (['Secret', 'ConfigMap'] as const).flatMap(
    (kind) => newestIn(records.filter((record) => record.kind === kind)) ?? [],
  );

/**
 * Annotates the records of a release. Resolves to whether anything had to be done. A lock that the newest revision carries holds, and so
 * nothing has to be done where older ones do not (an upgrade takes locks off what it supersedes); to lift it, it has to go everywhere.
 */
export const annotateRelease = async (
  api: Api,
  records: readonly ReleaseRecord[],
  edit: LockEdit,
): Promise<boolean> => {
  const heads = newestOfEach(records);
  const isOutstanding = ({ locks = {} }: ReleaseRecord): boolean => Object.keys(changesFor(edit, locks)).length > 0;
  if (!(edit.sets ? heads : records).some(isOutstanding)) return false;
  // Newest first: if it is refused there, nothing has been changed, and if it breaks off, the lock is where it counts.
  for (const record of [...records].sort((a, b) => b.revision - a.revision)) {
    if (!isOutstanding(record)) continue;
    try {
      await patch(api, recordPath(record), changesFor(edit, record.locks ?? {}));
    } catch (error) {
      // Helm prunes its history meanwhile.
      if (!isNotFound(error) || heads.includes(record)) throw error;
    }
  }
  return true;
};

/** Annotates a Namespace, for all releases in it. Resolves to whether anything had to be done. */
export const annotateNamespace = async (
  api: Api,
  name: string,
  annotations: Annotations | undefined,
  edit: LockEdit,
): Promise<boolean> => {
  const changes = changesFor(edit, annotations ?? {});
  // Where it may be patched and not read, nobody knows what is there.
  if (annotations !== undefined && Object.keys(changes).length === 0) return false;
  await patch(api, namespacePath(name), annotations === undefined ? edit.wanted : changes);
  return true;
};

/** A key that no Belay knows, so that every Belay refuses it, whatever its policies say. */
const PROBE = `${LOCK_PREFIX}is-belay-there`;

/**
 * Whether Belay is asked about annotations of that object. Everybody who may annotate can find out by this, and few may read webhook
 * configurations; and it tells of a namespace that Belay leaves out as well. Nothing is stored.
 */
export const isGuarded = async (api: Api, path: string): Promise<boolean> => {
  try {
    await patch(api, path, { [PROBE]: 'x' }, true);
    return false;
  } catch (error) {
    // Any other refusal does not tell, and then there is nothing to warn of.
    return !isNotFound(error);
  }
};
