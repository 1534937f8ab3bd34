import type { LRUCache } from 'lru-cache';
import type { ManifestDocument } from '../helm/manifest.ts';
import { type Api, ApiError, isNotFound } from '../kubernetes/api.ts';
import type { Kind, Kinds } from '../kubernetes/kinds.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import type { IgnoreRule } from '../policy/policy.ts';
import { ignoredPathsFor } from '../policy/subjects.ts';
import { isMap, own } from '../rules/drift/json.ts';
import { findAddedFields } from './added-fields.ts';
import { compareChartFields, withoutSpelling, withWriters } from './compare.ts';
import { HELM_MANAGER, helmManagerOf } from './field-owners.ts';
import type { Method, ObjectDrift, UncheckedObject } from './findings.ts';
import { isMarked, type Marks, placeDocument, toStored } from './placed-document.ts';
import type { Rights } from './rights.ts';
import { writeDocument } from './write-document.ts';

export interface CheckDependencies {
  readonly api: Api;
  readonly kinds: Kinds;
  readonly rights: Rights;
  /** Objects in which nothing was found, by what was looked at: the same need not be compared again. */
  readonly clean?: LRUCache<string, readonly string[]>;
}

/** What the objects of a release are compared by. */
export interface CheckedBy {
  /** The governing record's uid. */
  readonly revision: string;
  readonly marks: Marks;
  readonly ignore: readonly IgnoreRule[];
}

export type Checked =
  | { readonly found: 'nothing' }
  | { readonly found: 'drift'; readonly drift: ObjectDrift }
  | { readonly found: 'unchecked'; readonly unchecked: UncheckedObject };

const NOTHING: Checked = { found: 'nothing' };

/** Once finished, it is removed by its own `ttlSecondsAfterFinished`. */
const endsByItself = ({ document }: ManifestDocument): boolean => {
  const spec = own(document, 'spec');
  return isMap(spec) && own(spec, 'ttlSecondsAfterFinished') !== undefined;
};

const isKept = (document: KubernetesObject): boolean =>
  document.metadata?.annotations?.['helm.sh/resource-policy']?.trim().toLowerCase() === 'keep';

/** Looks at one object of the manifest. Rejects only when the signal fires. */
export const checkObject = async (
  { api, kinds, rights, clean }: CheckDependencies,
  { revision, marks, ignore }: CheckedBy,
  manifest: ManifestDocument,
  signal: AbortSignal,
): Promise<Checked> => {
  const { group, version, name } = manifest;
  let object: ObjectRef = { group, kind: manifest.kind, namespace: manifest.namespace, name };
  const unchecked = (why: UncheckedObject['why'], detail: string): Checked => ({
    found: 'unchecked',
    unchecked: { object, why, detail },
  });

  const check = async (): Promise<Checked> => {
    const kind = await kinds.find(group, version, manifest.kind, signal);
    if (kind === undefined) return unchecked('unknown kind', `the API server does not serve ${group}/${version}`);
    const namespace = manifest.namespace === '' ? marks.releaseNamespace : manifest.namespace;
    object = { ...object, namespace: kind.namespaced ? namespace : '' };
    const document = placeDocument(manifest.document, marks, kind.namespaced ? namespace : undefined);
    const about = { object, apiVersion: document.apiVersion ?? '', keep: isKept(document), document };
    const none = { changed: [], added: [], method: undefined };

    if (rights.isForbidden('get', kind, object.namespace)) return unchecked('forbidden', cannotRead(kind));
    const live = await read(kind, object.namespace);
    if (live === 'forbidden') return unchecked('forbidden', cannotRead(kind));
    if (live === undefined) {
      if (endsByItself(manifest)) return NOTHING;
      const drift = { ...about, ...none, problem: 'missing', live, desired: document, manager: HELM_MANAGER } as const;
      return { found: 'drift', drift };
    }
    // On its way out, by whomever: what comes after will tell.
    if (live.metadata?.deletionTimestamp !== undefined) return NOTHING;
    if (!isMarked(live, marks)) {
      const drift = { ...about, ...none, problem: 'unmarked', live, desired: live, manager: HELM_MANAGER } as const;
      return { found: 'drift', drift };
    }
    return compare(kind, live, document, about);
  };

  const read = async (kind: Kind, namespace: string): Promise<KubernetesObject | undefined | 'forbidden'> => {
    try {
      return await api.request<KubernetesObject>({ path: kind.path(namespace, name), signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (rights.noteError(error, 'get', kind, namespace)) return 'forbidden';
      throw error;
    }
  };

  const compare = async (
    kind: Kind,
    live: KubernetesObject,
    document: KubernetesObject,
    about: Pick<ObjectDrift, 'object' | 'apiVersion' | 'keep' | 'document'>,
  ): Promise<Checked> => {
    const ignored = ignoredPathsFor(ignore, object);
    const key = `${live.metadata?.uid} ${live.metadata?.resourceVersion} ${revision} ${manifest.version}`;
    if (clean?.get(key) === ignored) return NOTHING;

    const manager = helmManagerOf(live);
    const stored = toStored(document, marks);
    const seen = { live, document, marks, ignore: ignored };
    const added = findAddedFields({
      ...{ stored, document: manifest.document, live, group, kind: manifest.kind, ignore: ignored, manager },
    });
    let changes = compareChartFields({ ...seen, desired: stored });
    let [method, desired]: [Method | undefined, KubernetesObject] = [undefined, live];
    if (changes.length > 0) {
      const rehearsed = await rehearse(kind, document, manager);
      method = rehearsed?.method;
      desired = rehearsed?.desired ?? stored;
      changes = rehearsed === undefined ? withoutSpelling(changes) : compareChartFields({ ...seen, desired });
    }
    if (changes.length === 0 && added.length === 0) {
      clean?.set(key, ignored);
      return NOTHING;
    }
    const problem = changes.length > 0 ? 'changed' : 'added';
    const changed = withWriters(changes, live);
    return { found: 'drift', drift: { ...about, problem, changed, added, method, live, desired, manager } };
  };

  /** What would come of the chart's document now; undefined when the API server cannot be asked. */
  const rehearse = async (
    kind: Kind,
    document: KubernetesObject,
    manager: string,
  ): Promise<{ method: Method; desired: KubernetesObject } | undefined> => {
    if (rights.isForbidden('patch', kind, object.namespace)) return undefined;
    const write = { kind, namespace: object.namespace, name, document, manager, force: true, dryRun: true };
    for (const method of ['apply', 'merge'] as const) {
      try {
        return { method, desired: await writeDocument(api, { ...write, method }, signal) };
      } catch (error) {
        if (signal.aborted) throw error;
        if (rights.noteError(error, 'patch', kind, object.namespace)) return undefined;
      }
    }
    return undefined;
  };

  try {
    return await check();
  } catch (error) {
    if (signal.aborted) throw error;
    const status = error instanceof ApiError && error.status > 0 ? `HTTP ${error.status}: ` : '';
    return unchecked('failed', status + (error as Error).message);
  }
};

const cannotRead = ({ group, resource }: Kind): string =>
  `get on ${resource}${group === '' ? '' : `.${group}`} is not granted`;
