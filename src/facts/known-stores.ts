import type { RecordKind } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import { mayRun, newestOf } from '../rules/in-flight.ts';
import type { PayloadNamespaces } from './payload-namespaces.ts';
import type { ReleaseIndex } from './release-index.ts';

/** What is known of the stores of one release name: which namespaces hold records, and where the objects of those records live. */
export interface KnownStores {
  /** By the namespace of the records: the namespaces of the objects. */
  readonly serves: Map<string, ReadonlySet<string>>;
  /** By the namespace of the objects: the namespaces of the records. Without stores that keep records and objects in one namespace. */
  readonly servedFrom: Map<string, Set<string>>;
  /** Namespaces whose records have changed since they were looked at. */
  readonly changed: Set<string>;
  readonly reading: Map<string, { readonly done: Promise<void>; readonly giveUpAtMs: number }>;
  readonly retryAtMs: Map<string, number>;
}

export const emptyStores = (changed: Iterable<string>): KnownStores => ({
  serves: new Map(),
  servedFrom: new Map(),
  changed: new Set(changed),
  reading: new Map(),
  retryAtMs: new Map(),
});

/**
 * How long a review waits for payloads that were never read. A name may be in thousands of namespaces, and the webhook for objects has
 * 5 s in all. After that the answer comes from what is known, as from any index that lags behind (docs/design.md#never-refuse-from-memory),
 * and the reading goes on.
 */
const MAX_WAIT_MS = 1_500;

const KINDS: readonly RecordKind[] = ['Secret', 'ConfigMap'];

/** The revisions that can govern, in either kind of records: what is in flight or newest, and what may run. */
export const mayGovern = (records: readonly ReleaseRecord[]): readonly ReleaseRecord[] => {
  const found = KINDS.flatMap((kind) => {
    const ofKind = records.filter((record) => record.kind === kind);
    return [newestOf(ofKind, kind), ...mayRun({ records: ofKind, claim: undefined })];
  });
  return [...new Set(found.filter((record) => record !== undefined))];
};

const setServes = ({ serves, servedFrom }: KnownStores, store: string, now: ReadonlySet<string>): void => {
  for (const namespace of serves.get(store) ?? []) {
    const stores = servedFrom.get(namespace);
    stores?.delete(store);
    if (stores?.size === 0) servedFrom.delete(namespace);
  }
  serves.set(store, now);
  for (const namespace of now) {
    if (namespace === store) continue;
    const stores = servedFrom.get(namespace);
    if (stores === undefined) servedFrom.set(namespace, new Set([store]));
    else stores.add(store);
  }
};

export interface UpdateStoresDependencies {
  readonly index: Pick<ReleaseIndex, 'facts'>;
  readonly namespaces: PayloadNamespaces;
  readonly nowMs: () => number;
  /** When to read a payload again that could not be read. */
  readonly retryAfterMs: number;
}

/** Looks at what has changed since the last time. When nothing has changed this costs nothing, however many stores there are. */
export type UpdateStores = (name: string, stores: KnownStores) => void;

export const createUpdateStores = ({
  index,
  namespaces,
  nowMs,
  retryAfterMs,
}: UpdateStoresDependencies): UpdateStores => {
  const read = (stores: KnownStores, store: string, unknown: readonly ReleaseRecord[]): void => {
    const done = Promise.all(unknown.map((record) => namespaces.read(record)))
      .then(
        (found) => found.every((namespace) => namespace !== undefined),
        () => false,
      )
      .then((isRead) => {
        stores.reading.delete(store);
        stores.changed.add(store);
        if (!isRead) stores.retryAtMs.set(store, nowMs() + retryAfterMs);
      });
    // What is known of a store stays in force while its next revision is read. Only a new store is worth waiting for.
    const maxWaitMs = stores.serves.has(store) ? 0 : MAX_WAIT_MS;
    stores.reading.set(store, { done, giveUpAtMs: nowMs() + maxWaitMs });
  };

  const updateOne = (name: string, stores: KnownStores, store: string): void => {
    const { records } = index.facts({ namespace: store, name });
    if (records.length === 0) {
      setServes(stores, store, new Set());
      stores.serves.delete(store);
      return;
    }
    const candidates = mayGovern(records);
    const known = new Set(candidates.map((record) => namespaces.known(record)).filter((each) => each !== undefined));
    if (known.size > 0) setServes(stores, store, known);
    const unknown = candidates.filter((record) => namespaces.known(record) === undefined);
    const isDue = !stores.reading.has(store) && !stores.retryAtMs.has(store);
    if (unknown.length > 0 && isDue) read(stores, store, unknown);
  };

  return (name, stores) => {
    for (const [store, atMs] of stores.retryAtMs) {
      if (nowMs() < atMs) continue;
      stores.retryAtMs.delete(store);
      stores.changed.add(store);
    }
    for (const store of stores.changed) {
      stores.changed.delete(store);
      updateOne(name, stores, store);
    }
  };
};
