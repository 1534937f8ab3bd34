import { recordPath } from '../../facts/release-reader.ts';
import { LOCK_PREFIX, type ReleaseRecord } from '../../helm/record.ts';
import { type Api, isNotFound, METADATA_ONLY, pathOf } from '../../kubernetes/api.ts';
import type { Annotations } from '../../policy/lock-annotations.ts';
import { newestIn } from '../releases/release-view.ts';
import { changesFor, type LockEdit } from './lock-edit.ts';

/** The field manager in managedFields. */
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
    // Without this, the answer to a patch of a record would contain its payload.
    accept: METADATA_ONLY,
  });
};

/** The newest revision of each storage. A lock on it counts from now on. */
const newestOfEach = (records: readonly ReleaseRecord[]): readonly ReleaseRecord[] =>
  (['Secret', 'ConfigMap'] as const).flatMap(
    (kind) => newestIn(records.filter((record) => record.kind === kind)) ?? [],
  );

/**
 * Annotates the records of a release. Resolves to whether anything had to be done. A lock is set once the newest revision carries it; older
 * revisions may lack it, because an upgrade removes locks from the revision that it supersedes. A lock is lifted only when no revision
 * carries it.
 */
export const annotateRelease = async (
  api: Api,
  records: readonly ReleaseRecord[],
  edit: LockEdit,
): Promise<boolean> => {
  const heads = newestOfEach(records);
  const isOutstanding = ({ locks = {} }: ReleaseRecord): boolean => Object.keys(changesFor(edit, locks)).length > 0;
  if (!(edit.sets ? heads : records).some(isOutstanding)) return false;
  // Newest first: a refusal then leaves everything unchanged, and an interruption leaves the lock where it counts.
  for (const record of [...records].sort((a, b) => b.revision - a.revision)) {
    if (!isOutstanding(record)) continue;
    try {
      await patch(api, recordPath(record), changesFor(edit, record.locks ?? {}));
    } catch (error) {
      // Helm may prune its history meanwhile.
      if (!isNotFound(error) || heads.includes(record)) throw error;
    }
  }
  return true;
};

/** Annotates a Namespace, which locks all releases in it. Resolves to whether anything had to be done. */
export const annotateNamespace = async (
  api: Api,
  name: string,
  annotations: Annotations | undefined,
  edit: LockEdit,
): Promise<boolean> => {
  const changes = changesFor(edit, annotations ?? {});
  // A user may be allowed to patch the Namespace but not to read it. Its annotations are then unknown.
  if (annotations !== undefined && Object.keys(changes).length === 0) return false;
  await patch(api, namespacePath(name), annotations === undefined ? edit.wanted : changes);
  return true;
};

/** A lock annotation that no version of Belay knows. Every Belay refuses it, whatever the policies say. */
const PROBE = `${LOCK_PREFIX}is-belay-there`;

/**
 * Whether the API server asks Belay about annotations of this object, found out by a dry run. Every user who may annotate can do this, while
 * few may read webhook configurations. It also detects a namespace that Belay leaves out.
 */
export const isGuarded = async (api: Api, path: string): Promise<boolean> => {
  try {
    await patch(api, path, { [PROBE]: 'x' }, true);
    return false;
  } catch (error) {
    // Another refusal says nothing about Belay, so there is no reason to warn.
    return !isNotFound(error);
  }
};
