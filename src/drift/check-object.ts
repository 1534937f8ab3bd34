import type { LRUCache } from 'lru-cache';
import type { Autoscalers } from '../facts/autoscalers.ts';
import type { ManifestDocument } from '../helm/manifest.ts';
import { type Api, ApiError, isNotFound } from '../kubernetes/api.ts';
import type { Kind, Kinds } from '../kubernetes/kinds.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import { type LeftWhen, leftPathsOf, NOTHING_MORE } from '../policy/left-paths.ts';
import type { Policy } from '../policy/policy.ts';
import type { Preset } from '../policy/presets/preset.ts';
import { HELM_MANAGER } from '../rules/drift/field-ownership.ts';
import { isMap, own } from '../rules/drift/json.ts';
import { findAddedFields } from './added-fields.ts';
import { compareChartFields, withoutSpelling, withWriters } from './compare.ts';
import { helmManagerOf } from './field-owners.ts';
import type { Method, ObjectDrift, UncheckedObject } from './findings.ts';
import type { MissingRights } from './missing-rights.ts';
import { isMarked, type Marks, placeDocument, toStored } from './placed-document.ts';
import { writeDocument } from './write-document.ts';

export interface CheckDependencies {
  readonly api: Api;
  readonly kinds: Kinds;
  readonly rights: MissingRights;
  /** Objects without drift, by everything that the comparison depends on. They need not be compared again. */
  readonly clean?: LRUCache<string, readonly string[]>;
}

/** What the objects of a release are compared with. */
export interface CheckedBy {
  /** The governing record's uid. */
  readonly revision: string;
  readonly marks: Marks;
  readonly drift: Policy['drift'];
  /** The presets that `auto` stands for. */
  readonly installed: readonly Preset[];
  readonly autoscalers: Autoscalers;
}

export type Checked =
  | { readonly found: 'nothing' }
  | { readonly found: 'drift'; readonly drift: ObjectDrift }
  | { readonly found: 'unchecked'; readonly unchecked: UncheckedObject };

const NOTHING: Checked = { found: 'nothing' };

/** Whether Kubernetes removes the object when it has finished (`ttlSecondsAfterFinished`). */
const endsByItself = ({ document }: ManifestDocument): boolean => {
  const spec = own(document, 'spec');
  return isMap(spec) && own(spec, 'ttlSecondsAfterFinished') !== undefined;
};

const isKept = (document: KubernetesObject): boolean =>
  document.metadata?.annotations?.['helm.sh/resource-policy']?.trim().toLowerCase() === 'keep';

/** One object that is being checked. */
interface Subject {
  readonly manifest: ManifestDocument;
  readonly kind: Kind;
  readonly object: ObjectRef;
  /** The chart's document as Helm sends it. */
  readonly document: KubernetesObject;
  readonly signal: AbortSignal;
}

const uncheckedOf = (object: ObjectRef, why: UncheckedObject['why'], detail: string): Checked => ({
  found: 'unchecked',
  unchecked: { object, why, detail },
});

const driftOf = (
  { object, document }: Subject,
  found: Omit<ObjectDrift, 'object' | 'apiVersion' | 'keep' | 'document' | 'left'>,
  left: LeftWhen = NOTHING_MORE,
): Checked => ({
  found: 'drift',
  drift: { object, apiVersion: document.apiVersion ?? '', keep: isKept(document), document, left, ...found },
});

/** Drift of an object that cannot be compared. */
const withoutFields = { changed: [], added: [], method: undefined, manager: HELM_MANAGER } as const;

/** Looks at one object of the manifest. Rejects only when the signal fires. */
export const checkObject = async (
  dependencies: CheckDependencies,
  by: CheckedBy,
  manifest: ManifestDocument,
  signal: AbortSignal,
): Promise<Checked> => {
  const { group, version, name } = manifest;
  let object: ObjectRef = { group, kind: manifest.kind, namespace: manifest.namespace, name };
  try {
    const kind = await dependencies.kinds.find(group, version, manifest.kind, signal);
    if (kind === undefined)
      return uncheckedOf(object, 'unknown kind', `the API server does not serve ${group}/${version}`);
    const namespace = manifest.namespace === '' ? by.marks.releaseNamespace : manifest.namespace;
    object = { ...object, namespace: kind.namespaced ? namespace : '' };
    const document = placeDocument(manifest.document, by.marks, kind.namespaced ? namespace : undefined);
    return await checkPlaced(dependencies, by, { manifest, kind, object, document, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    const status = error instanceof ApiError && error.status > 0 ? `HTTP ${error.status}: ` : '';
    return uncheckedOf(object, 'failed', status + (error as Error).message);
  }
};

const checkPlaced = async (dependencies: CheckDependencies, by: CheckedBy, subject: Subject): Promise<Checked> => {
  const { object, document, kind, manifest } = subject;
  const live = await readLive(dependencies, subject);
  if (live === 'forbidden') return uncheckedOf(object, 'forbidden', cannotRead(kind));
  if (live === undefined) {
    if (endsByItself(manifest)) return NOTHING;
    return driftOf(subject, { ...withoutFields, problem: 'missing', live, desired: document });
  }
  // Somebody is deleting the object. What comes after it will be checked next time.
  if (live.metadata?.deletionTimestamp !== undefined) return NOTHING;
  if (!isMarked(live, by.marks)) {
    return driftOf(subject, { ...withoutFields, problem: 'unmarked', live, desired: live });
  }
  return compareWithLive(dependencies, by, subject, live);
};

const readLive = async (
  { api, rights }: CheckDependencies,
  { kind, object: { namespace, name }, signal }: Subject,
): Promise<KubernetesObject | undefined | 'forbidden'> => {
  if (rights.isForbidden('get', kind, namespace)) return 'forbidden';
  try {
    return await api.request<KubernetesObject>({ path: kind.path(namespace, name), signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (rights.noteError(error, 'get', kind, namespace)) return 'forbidden';
    throw error;
  }
};

const REPLICAS = '/spec/replicas';

const compareWithLive = async (
  dependencies: CheckDependencies,
  by: CheckedBy,
  subject: Subject,
  live: KubernetesObject,
): Promise<Checked> => {
  const { revision, installed } = by;
  const { manifest, object } = subject;
  const { clean } = dependencies;
  const ignored = leftPathsOf(by.drift, object, { installed, autoscaled: false });
  const key = `${live.metadata?.uid} ${live.metadata?.resourceVersion} ${revision} ${manifest.version}`;
  if (clean?.get(key) === ignored) return NOTHING;

  const found = await compareUnder(dependencies, by, subject, live, { installed, autoscaled: false });
  if (found.found === 'nothing') {
    clean?.set(key, ignored);
    return found;
  }
  // An autoscaler may come and go without a trace in the object, so that nothing is remembered here.
  const isScaled = found.found === 'drift' && found.drift.changed.some(({ pointer }) => pointer === REPLICAS);
  if (!isScaled || !(await by.autoscalers.target(object, subject.signal))) return found;
  return compareUnder(dependencies, by, subject, live, { installed, autoscaled: true });
};

const compareUnder = async (
  dependencies: CheckDependencies,
  { drift, marks }: CheckedBy,
  subject: Subject,
  live: KubernetesObject,
  left: LeftWhen,
): Promise<Checked> => {
  const { manifest, object, document } = subject;
  const ignore = leftPathsOf(drift, object, left);
  const manager = helmManagerOf(live);
  const stored = toStored(document, marks);
  const { group, kind } = manifest;
  const added = findAddedFields({ stored, document: manifest.document, live, group, kind, ignore, manager });
  const seen = { live, document, marks, ignore };
  let changes = compareChartFields({ ...seen, desired: stored });
  let [method, desired]: [Method | undefined, KubernetesObject] = [undefined, live];
  if (changes.length > 0) {
    const rehearsed = await rehearse(dependencies, subject, manager);
    method = rehearsed?.method;
    desired = rehearsed?.desired ?? stored;
    changes = rehearsed === undefined ? withoutSpelling(changes) : compareChartFields({ ...seen, desired });
  }
  if (changes.length === 0 && added.length === 0) return NOTHING;
  const problem = changes.length > 0 ? 'changed' : 'added';
  return driftOf(
    subject,
    { problem, changed: withWriters(changes, live), added, method, live, desired, manager },
    left,
  );
};

/** What the API server would make of the chart's document now. Undefined when it cannot be asked. */
const rehearse = async (
  { api, rights }: CheckDependencies,
  { kind, object: { namespace, name }, document, signal }: Subject,
  manager: string,
): Promise<{ readonly method: Method; readonly desired: KubernetesObject } | undefined> => {
  if (rights.isForbidden('patch', kind, namespace)) return undefined;
  const write = { kind, namespace, name, document, manager, force: true, dryRun: true };
  for (const method of ['apply', 'merge'] as const) {
    try {
      return { method, desired: await writeDocument(api, { ...write, method }, signal) };
    } catch (error) {
      if (signal.aborted) throw error;
      if (rights.noteError(error, 'patch', kind, namespace)) return undefined;
    }
  }
  return undefined;
};

const cannotRead = ({ group, resource }: Kind): string =>
  `get on ${resource}${group === '' ? '' : `.${group}`} is not granted`;
