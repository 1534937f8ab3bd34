import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Resource } from './resources.ts';

/** A change of one object, at the resourceVersion that it made. */
export interface Change {
  readonly version: number;
  readonly resource: Resource;
  readonly before: KubernetesObject | undefined;
  readonly after: KubernetesObject | undefined;
  /** The user whose request it was. */
  readonly username: string;
}

/** What etcd is to the API server: objects, and one counter of versions for all of them. */
export interface Store {
  version(): number;
  get(resource: Resource, namespace: string, name: string): KubernetesObject | undefined;
  list(resource: Resource, namespace: string): readonly KubernetesObject[];
  /** Stores it under a new resourceVersion; gives back what is stored. */
  put(resource: Resource, object: KubernetesObject, username: string): KubernetesObject;
  /** Gives back what was there, under the resourceVersion of its end. */
  remove(resource: Resource, object: KubernetesObject, username: string): KubernetesObject;
  /** Undefined where the changes since then are forgotten. */
  since(version: number): readonly Change[] | undefined;
  /** Forgets all changes so far. */
  compact(): void;
  onChange(listener: (change: Change) => void): () => void;
}

const keyOf = ({ group, resource }: Resource, namespace: string, name: string): string =>
  `${group}/${resource}/${namespace}/${name}`;

export const createStore = (): Store => {
  const objects = new Map<string, { readonly resource: Resource; readonly object: KubernetesObject }>();
  const listeners = new Set<(change: Change) => void>();
  let changes: Change[] = [];
  let version = 1;
  let compactedAt = 0;

  const tell = (change: Change): void => {
    changes.push(change);
    for (const listener of listeners) listener(change);
  };
  const stamp = (object: KubernetesObject): KubernetesObject => {
    version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
  };
  const locate = (resource: Resource, { metadata }: KubernetesObject): string =>
    keyOf(resource, metadata?.namespace ?? '', metadata?.name ?? '');

  return {
    version: () => version,
    get: (resource, namespace, name) => objects.get(keyOf(resource, namespace, name))?.object,
    list: (resource, namespace) =>
      [...objects.entries()]
        .filter(
          ([, entry]) =>
            entry.resource === resource && (namespace === '' || entry.object.metadata?.namespace === namespace),
        )
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { object }]) => object),
    put: (resource, object, username) => {
      const key = locate(resource, object);
      const before = objects.get(key)?.object;
      const after = stamp(object);
      objects.set(key, { resource, object: after });
      tell({ version, resource, before, after, username });
      return after;
    },
    remove: (resource, object, username) => {
      objects.delete(locate(resource, object));
      const before = stamp(object);
      tell({ version, resource, before, after: undefined, username });
      return before;
    },
    since: (from) => (from < compactedAt ? undefined : changes.filter((change) => change.version > from)),
    compact: () => {
      changes = [];
      compactedAt = version;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
