import type { ReleaseName } from '../helm/names.ts';
import type { StoreIntervals } from '../intervals/intervals.ts';
import { createUpdateStores, emptyStores, type KnownStores, mayGovern } from './known-stores.ts';
import type { LiveFacts } from './live-facts.ts';
import type { PayloadNamespaces } from './payload-namespaces.ts';
import type { ReleaseIndex } from './release-index.ts';

/**
 * Where the records of an object's release lie. A release is known by the namespace of its records and its name. Its objects carry
 * that name and *their* namespace, which is another one for clients that store records apart (Flux: spec.storageNamespace).
 */
export interface ReleaseStores {
  /**
   * Every store that may govern objects with these ownership marks: the store in the namespace that the marks name, with or without
   * records, and all other stores whose payloads say that their objects live there. Each store has its say, so that a record forged in one
   * store never speaks for another. A promise only where payloads have to be read first.
   */
  of(owner: ReleaseName, signal: AbortSignal): readonly ReleaseName[] | Promise<readonly ReleaseName[]>;
  /** The same stores, as far as their payloads have been read before. */
  known(owner: ReleaseName): readonly ReleaseName[];
}

/** Resolves when the work is done, or after that time. The work never rejects. */
const within = (ms: number, work: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });

const answer = (owner: ReleaseName, stores: KnownStores): readonly ReleaseName[] => {
  const elsewhere = stores.servedFrom.get(owner.namespace);
  if (elsewhere === undefined) return [owner];
  return [owner, ...[...elsewhere].map((namespace) => ({ namespace, name: owner.name }))];
};

/** Finds the stores live, before the index is complete. Rejects when the API server does not answer, because memory cannot answer either. */
const findLive = async (
  live: Pick<LiveFacts, 'recordsNamed'>,
  namespaces: Pick<PayloadNamespaces, 'read'>,
  owner: ReleaseName,
  signal: AbortSignal,
): Promise<readonly ReleaseName[]> => {
  const records = await live.recordsNamed(owner.name, signal);
  const elsewhere = Object.entries(Object.groupBy(records, ({ namespace }) => namespace)).map(
    async ([namespace, stored = []]): Promise<readonly ReleaseName[]> => {
      if (namespace === owner.namespace) return [];
      const found = await Promise.all(mayGovern(stored).map((record) => namespaces.read(record)));
      return found.includes(owner.namespace) ? [{ namespace, name: owner.name }] : [];
    },
  );
  return [owner, ...(await Promise.all(elsewhere)).flat()];
};

export const createReleaseStores = (
  index: ReleaseIndex,
  live: LiveFacts,
  namespaces: PayloadNamespaces,
  nowMs: () => number,
  { retryAfterMs }: StoreIntervals,
): ReleaseStores => {
  const update = createUpdateStores({ index, namespaces, nowMs, retryAfterMs });
  /** Names of releases that were asked for, and that have records in another namespace too. */
  const byName = new Map<string, KnownStores>();
  index.onChange(({ namespace, name }) => {
    const stores = byName.get(name);
    if (stores === undefined) return;
    stores.changed.add(namespace);
    const [first] = index.namespacesOf(name);
    if (first === undefined) byName.delete(name);
  });

  const storesOf = (name: string): KnownStores => {
    const known = byName.get(name);
    if (known !== undefined) return known;
    const stores = emptyStores(index.namespacesOf(name));
    byName.set(name, stores);
    return stores;
  };

  return {
    known: (owner) => answer(owner, byName.get(owner.name) ?? emptyStores([])),
    of: (owner, signal) => {
      if (!index.isSynced()) return findLive(live, namespaces, owner, signal);
      if (!index.isElsewhere(owner)) return [owner];
      const stores = storesOf(owner.name);
      update(owner.name, stores);
      const awaited = [...stores.reading.values()].filter(({ giveUpAtMs }) => giveUpAtMs > nowMs());
      if (awaited.length === 0) return answer(owner, stores);
      const untilMs = Math.max(...awaited.map(({ giveUpAtMs }) => giveUpAtMs));
      return within(untilMs - nowMs(), Promise.all(awaited.map(({ done }) => done))).then(() => {
        update(owner.name, stores);
        return answer(owner, stores);
      });
    },
  };
};
