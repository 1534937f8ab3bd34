import type { ReleaseName } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { StoreIntervals } from '../intervals/intervals.ts';
import { highestDeployed, newestOf } from '../rules/in-flight.ts';
import type { LiveFacts } from './live-facts.ts';
import type { PayloadNamespaces } from './payload-namespaces.ts';
import type { ReleaseIndex } from './release-index.ts';

/**
 * Where the records of an object's release lie. A release is known by the namespace of its records and its name. Its objects carry
 * that name and *their* namespace, which is another one for clients that store records apart (Flux: spec.storageNamespace).
 */
export interface ReleaseStores {
  /**
   * Every store that may govern objects with these ownership marks: the one in the namespace that they name, whether or not it
   * has records, and all others whose payloads say that their objects live there. Each has its say, so that a record forged in one
   * never speaks for another. A promise only where payloads have to be read first.
   */
  of(owner: ReleaseName, signal: AbortSignal): readonly ReleaseName[] | Promise<readonly ReleaseName[]>;
}

/**
 * How long a review waits for payloads that were never read. A name may be in thousands of namespaces, and the webhook for objects has
 * 5 s in all; beyond, the answer comes from what is known, as from any index that lags behind (docs/design.md#never-refuse-from-memory), and the reading goes on.
 */
const PATIENCE_MS = 1_500;

/** What is known of the stores of one name. */
interface Stores {
  /** By the namespace of the records: the namespaces of the objects. */
  readonly serves: Map<string, ReadonlySet<string>>;
  /** The other way round, and without those that keep both in one namespace. */
  readonly servedFrom: Map<string, Set<string>>;
  /** Namespaces whose records have changed since they were looked at. */
  readonly changed: Set<string>;
  readonly reading: Map<string, { readonly done: Promise<void>; readonly giveUpAtMs: number }>;
  readonly retryAtMs: Map<string, number>;
}

/** The revisions that can govern: what is in flight or newest, and what is deployed. */
const tellersOf = (records: readonly ReleaseRecord[]): readonly ReleaseRecord[] => {
  const tellers = [newestOf(records, 'Secret'), newestOf(records, 'ConfigMap'), highestDeployed(records)];
  return [...new Set(tellers.filter((record) => record !== undefined))];
};

const setServes = ({ serves, servedFrom }: Stores, store: string, now: ReadonlySet<string>): void => {
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

/** Resolves when the work is done, or after that time. The work never rejects. */
const within = (ms: number, work: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });

export const createReleaseStores = (
  index: ReleaseIndex,
  live: LiveFacts,
  namespaces: PayloadNamespaces,
  nowMs: () => number,
  { retryAfterMs }: StoreIntervals,
): ReleaseStores => {
  /** Names that were asked for and are elsewhere as well. */
  const byName = new Map<string, Stores>();
  index.onChange(({ namespace, name }) => {
    const stores = byName.get(name);
    if (stores === undefined) return;
    stores.changed.add(namespace);
    const [first] = index.namespacesOf(name);
    if (first === undefined) byName.delete(name);
  });

  const read = (stores: Stores, store: string, unknown: readonly ReleaseRecord[]): void => {
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
    // What is known of a store stays in force while its next revision is read; only a new one is worth waiting for.
    const patienceMs = stores.serves.has(store) ? 0 : PATIENCE_MS;
    stores.reading.set(store, { done, giveUpAtMs: nowMs() + patienceMs });
  };

  const look = (name: string, stores: Stores, store: string): void => {
    const { records } = index.facts({ namespace: store, name });
    if (records.length === 0) {
      setServes(stores, store, new Set());
      stores.serves.delete(store);
      return;
    }
    const tellers = tellersOf(records);
    const known = new Set(tellers.map((record) => namespaces.known(record)).filter((each) => each !== undefined));
    if (known.size > 0) setServes(stores, store, known);
    const unknown = tellers.filter((record) => namespaces.known(record) === undefined);
    const isDue = !stores.reading.has(store) && !stores.retryAtMs.has(store);
    if (unknown.length > 0 && isDue) read(stores, store, unknown);
  };

  /** Looks at what has changed since the last time: with nothing new this costs nothing, however many stores there are. */
  const catchUp = (name: string, stores: Stores): void => {
    for (const [store, atMs] of stores.retryAtMs) {
      if (nowMs() < atMs) continue;
      stores.retryAtMs.delete(store);
      stores.changed.add(store);
    }
    for (const store of stores.changed) {
      stores.changed.delete(store);
      look(name, stores, store);
    }
  };

  const storesOf = (name: string): Stores => {
    const known = byName.get(name);
    if (known !== undefined) return known;
    const stores: Stores = {
      serves: new Map(),
      servedFrom: new Map(),
      changed: new Set(index.namespacesOf(name)),
      reading: new Map(),
      retryAtMs: new Map(),
    };
    byName.set(name, stores);
    return stores;
  };

  const answer = (owner: ReleaseName, stores: Stores): readonly ReleaseName[] => {
    const elsewhere = stores.servedFrom.get(owner.namespace);
    if (elsewhere === undefined) return [owner];
    return [owner, ...[...elsewhere].map((namespace) => ({ namespace, name: owner.name }))];
  };

  /** Before the index is complete. Rejects when the API server does not answer: nothing is known to fall back on. */
  const findLive = async (owner: ReleaseName, signal: AbortSignal): Promise<readonly ReleaseName[]> => {
    const records = await live.recordsNamed(owner.name, signal);
    const elsewhere = Object.entries(Object.groupBy(records, ({ namespace }) => namespace)).map(
      async ([namespace, stored = []]): Promise<readonly ReleaseName[]> => {
        if (namespace === owner.namespace) return [];
        const found = await Promise.all(tellersOf(stored).map((record) => namespaces.read(record)));
        return found.includes(owner.namespace) ? [{ namespace, name: owner.name }] : [];
      },
    );
    return [owner, ...(await Promise.all(elsewhere)).flat()];
  };

  return {
    of: (owner, signal) => {
      if (!index.isSynced()) return findLive(owner, signal);
      if (!index.isElsewhere(owner)) return [owner];
      const stores = storesOf(owner.name);
      catchUp(owner.name, stores);
      if (stores.reading.size === 0) return answer(owner, stores);
      const awaited = [...stores.reading.values()].filter(({ giveUpAtMs }) => giveUpAtMs > nowMs());
      if (awaited.length === 0) return answer(owner, stores);
      const untilMs = Math.max(...awaited.map(({ giveUpAtMs }) => giveUpAtMs));
      return within(untilMs - nowMs(), Promise.all(awaited.map(({ done }) => done))).then(() => {
        catchUp(owner.name, stores);
        return answer(owner, stores);
      });
    },
  };
};
