/**
 * A cache with one bound for all, shared fairly between owners: where room is needed, the owner who holds the most gives up what it has not used
 * for the longest time. Whatever one owner stores, nothing of an owner that holds less is lost.
 * lru-cache has no owners: one that stores much pushes out all others there.
 */
export interface FairCache<T> {
  get(owner: string, key: string): T | undefined;
  /** Keeps nothing that is larger than the bound. */
  set(owner: string, key: string, value: T, bytes: number): void;
  bytes(): number;
}

interface Entry<T> {
  readonly value: T;
  readonly bytes: number;
}

interface Owned<T> {
  /** The one that was not used for the longest time is the first. */
  readonly entries: Map<string, Entry<T>>;
  bytes: number;
}

export const createFairCache = <T>(maxBytes: number): FairCache<T> => {
  const owners = new Map<string, Owned<T>>();
  let total = 0;

  const remove = (name: string, owned: Owned<T>, key: string): void => {
    const bytes = owned.entries.get(key)?.bytes ?? 0;
    owned.entries.delete(key);
    owned.bytes -= bytes;
    total -= bytes;
    if (owned.entries.size === 0) owners.delete(name);
  };

  const evictOne = (): void => {
    let [most] = owners;
    for (const owner of owners) if (most === undefined || owner[1].bytes > most[1].bytes) most = owner;
    if (most === undefined) return;
    const [name, owned] = most;
    const [oldest] = owned.entries.keys();
    if (oldest !== undefined) remove(name, owned, oldest);
  };

  return {
    get: (name, key) => {
      const entries = owners.get(name)?.entries;
      const entry = entries?.get(key);
      if (entries === undefined || entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set: (name, key, value, bytes) => {
      const known = owners.get(name);
      if (known?.entries.has(key)) remove(name, known, key);
      if (bytes > maxBytes) return;
      while (total + bytes > maxBytes) evictOne();
      const owned = owners.get(name) ?? { entries: new Map<string, Entry<T>>(), bytes: 0 };
      owners.set(name, owned);
      owned.entries.set(key, { value, bytes });
      owned.bytes += bytes;
      total += bytes;
    },
    bytes: () => total,
  };
};
