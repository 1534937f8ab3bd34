import { recordPath } from '../../facts/release-reader.ts';
import { isUnfinished, type ReleaseRecord } from '../../helm/record.ts';
import type { Api } from '../../kubernetes/api.ts';
import { showName } from '../../text/escape.ts';
import { type ClusterAccess, openCluster } from '../access/cluster-access.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import { EXIT, type ExitCode, Failure, toFailure } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { sayFailure, warn } from '../output/say.ts';
import { notFound } from '../releases/find-releases.ts';
import { newestIn } from '../releases/release-view.ts';
import { listRecords, readNamespace } from '../releases/snapshot.ts';
import { annotateNamespace, annotateRelease, isGuarded, namespacePath } from './annotate.ts';
import type { LockEdit } from './lock-edit.ts';
import { warnOfOthers } from './other-locks.ts';

export interface LockTarget {
  readonly releases: readonly string[];
  readonly namespaceWide: boolean;
}

/** Makes the change for a release. The change may depend on the stored records. */
export type MakeEdit = (records: readonly ReleaseRecord[], api: Api) => LockEdit | Promise<LockEdit>;

const checkTarget = ({ releases, namespaceWide }: LockTarget): void => {
  if (namespaceWide && releases.length > 0)
    throw new Failure('--namespace-wide is about all releases: name none', EXIT.usage);
  if (!namespaceWide && releases.length === 0)
    throw new Failure('which release? Name one, or several, or give --namespace-wide', EXIT.usage);
};

const tell = (what: string, name: string, { done }: LockEdit, changed: boolean): void => {
  process.stdout.write(`${what}/${showName(name)} ${changed ? done : 'unchanged'}\n`);
};

/** The records that an edit is about. Throws when there are none. */
const concerned = (records: readonly ReleaseRecord[], edit: LockEdit, name: string): readonly ReleaseRecord[] => {
  const newest = newestIn(records);
  if (newest === undefined || edit.appliesTo === undefined) return records;
  const { appliesTo } = edit;
  const found = records.filter((record) => appliesTo(record, newest));
  if (found.length > 0) return found;
  const state = isUnfinished(newest.status) ? 'another storage' : `revision ${newest.revision} is ${newest.status}`;
  throw new Failure(`release ${JSON.stringify(name)} has no operation under way that could be broken: ${state}`);
};

const onRelease = async (
  { api, namespace }: ClusterAccess,
  name: string,
  makeEdit: MakeEdit,
): Promise<{ readonly edit: LockEdit; readonly path: string }> => {
  const records = (await listRecords(api, { namespace, names: [name] })).filter(({ release }) => release === name);
  const newest = newestIn(records);
  if (newest === undefined) throw notFound(name, namespace);
  const edit = await makeEdit(records, api);
  const changed = await annotateRelease(api, concerned(records, edit, name), edit);
  tell('release', name, edit, changed);
  return { edit, path: recordPath(newest) };
};

const onNamespace = async (
  { api, namespace }: ClusterAccess,
  makeEdit: MakeEdit,
): Promise<{ readonly edit: LockEdit; readonly path: string }> => {
  const edit = await makeEdit([], api);
  const known = await readNamespace(api, namespace);
  tell('namespace', namespace, edit, await annotateNamespace(api, namespace, known?.annotations, edit));
  return { edit, path: namespacePath(namespace) };
};

/** Sets or lifts a lock on some releases, or on a Namespace for all of them. A failure for one release does not stop the others. */
export const setLocks = async (
  target: LockTarget,
  makeEdit: MakeEdit,
  options: ClusterOptions,
  invocation: Invocation,
): Promise<void> => {
  checkTarget(target);
  const access = await openCluster(options, invocation);
  let exitCode: ExitCode | undefined;
  let done: { readonly edit: LockEdit; readonly path: string } | undefined;
  const tasks = target.namespaceWide
    ? [() => onNamespace(access, makeEdit)]
    : [...new Set(target.releases)].map((name) => () => onRelease(access, name, makeEdit));
  for (const task of tasks) {
    try {
      done = await task();
    } catch (error) {
      const failure = toFailure(error);
      // These two failures would repeat for every other release.
      if (failure.exitCode === EXIT.unreachable || failure.exitCode === EXIT.usage) throw failure;
      sayFailure(failure);
      exitCode ??= failure.exitCode;
    }
  }
  if (exitCode !== undefined) process.exitCode = exitCode;
  if (done === undefined) return;
  if (!done.edit.sets) await warnOfOthers(access, target, done.edit, invocation);
  else if (!(await isGuarded(access.api, done.path)))
    warn(`Belay does not guard namespace ${showName(access.namespace)}: this annotation holds nobody`);
};
