import { Overload } from './overload.ts';

/**
 * Work that waits for its turn, fairly between its owners: the owner whose last job began longest ago is next. An owner runs no more than its
 * share at once, so that the backlog of one never delays another by more than one job.
 * p-queue and piscina have one queue with priorities, and no shares: a long queue of one owner delays all others there.
 */
export interface FairQueue {
  /**
   * Runs a job when it is its turn. Rejects with Overload where there is no room to wait, and with the signal's reason when that fires while the
   * job waits. A job that has begun runs to its end. `bytes` is the memory that the job holds while it waits.
   */
  run<T>(owner: string, job: (rest: Rest) => Promise<T>, signal: AbortSignal, bytes?: number): Promise<T>;
  running(): number;
  waiting(): number;
}

/** Called by a job that was long: its owner begins no other for this time, so that the jobs of one owner leave processor time to all others. */
export type Rest = (ms: number) => void;

export interface FairQueueBounds {
  /** Jobs at once. */
  readonly maxRunning: number;
  /** Jobs of one owner at once. */
  readonly maxRunningEach: number;
  readonly maxWaiting: number;
  /** Jobs of one owner that wait. */
  readonly maxWaitingEach: number;
  /** Memory that waiting jobs hold, and that those of one owner hold. No bound by default. */
  readonly maxWaitingBytes?: number;
  readonly maxWaitingBytesEach?: number;
}

interface Waiting {
  readonly bytes: number;
  readonly begin: () => void;
}

interface Owner {
  readonly waiting: Set<Waiting>;
  waitingBytes: number;
  running: number;
  resting: number;
  /** Counts the jobs of all owners; 0: none of this owner has begun since it was last idle. */
  lastBegun: number;
}

/** The function is long, because the owners and their turns are its state. */
export const createFairQueue = (what: string, bounds: FairQueueBounds): FairQueue => {
  /** Only owners with work. */
  const owners = new Map<string, Owner>();
  let running = 0;
  let waiting = 0;
  let waitingBytes = 0;
  let begun = 0;

  const ownerOf = (name: string): Owner => {
    const known = owners.get(name);
    if (known !== undefined) return known;
    const owner: Owner = { waiting: new Set(), waitingBytes: 0, running: 0, resting: 0, lastBegun: 0 };
    owners.set(name, owner);
    return owner;
  };

  const forgetIdle = (name: string, owner: Owner): void => {
    if (owner.running === 0 && owner.resting === 0 && owner.waiting.size === 0) owners.delete(name);
  };

  const mayBegin = (owner: Owner): boolean => owner.running < bounds.maxRunningEach && owner.resting === 0;

  const nextOwner = (): Owner | undefined => {
    let next: Owner | undefined;
    for (const owner of owners.values()) {
      if (owner.waiting.size === 0 || !mayBegin(owner)) continue;
      if (next === undefined || owner.lastBegun < next.lastBegun) next = owner;
    }
    return next;
  };

  /** Puts a job among those that wait (1), or takes it away (-1). */
  const count = (owner: Owner, { bytes }: Waiting, change: 1 | -1): void => {
    waiting += change;
    waitingBytes += change * bytes;
    owner.waitingBytes += change * bytes;
  };

  /** Why a job cannot wait; undefined where it can. */
  const findOverload = (name: string, owner: Owner, bytes: number): Overload | undefined => {
    const { maxWaitingBytes = Number.POSITIVE_INFINITY, maxWaitingBytesEach = Number.POSITIVE_INFINITY } = bounds;
    if (owner.waiting.size >= bounds.maxWaitingEach || owner.waitingBytes + bytes > maxWaitingBytesEach)
      return new Overload(`${owner.waiting.size} ${what} of ${name} wait`);
    if (waiting >= bounds.maxWaiting || waitingBytes + bytes > maxWaitingBytes)
      return new Overload(`${waiting} ${what} wait`);
    return undefined;
  };

  const beginNext = (): void => {
    if (running >= bounds.maxRunning) return;
    const owner = nextOwner();
    const [next] = owner?.waiting ?? [];
    if (owner === undefined || next === undefined) return;
    owner.waiting.delete(next);
    count(owner, next, -1);
    next.begin();
  };

  const restFor = (name: string, owner: Owner, ms: number): void => {
    owner.resting += 1;
    setTimeout(() => {
      owner.resting -= 1;
      forgetIdle(name, owner);
      beginNext();
    }, ms);
  };

  const perform = async <T>(name: string, owner: Owner, job: (rest: Rest) => Promise<T>): Promise<T> => {
    running += 1;
    owner.running += 1;
    begun += 1;
    owner.lastBegun = begun;
    try {
      return await job((ms) => restFor(name, owner, ms));
    } finally {
      running -= 1;
      owner.running -= 1;
      forgetIdle(name, owner);
      beginNext();
    }
  };

  return {
    running: () => running,
    waiting: () => waiting,
    run: async (name, job, signal, bytes = 0) => {
      signal.throwIfAborted();
      const owner = ownerOf(name);
      const isFree = running < bounds.maxRunning && mayBegin(owner) && owner.waiting.size === 0;
      if (isFree) return perform(name, owner, job);
      const overload = findOverload(name, owner, bytes);
      if (overload !== undefined) {
        forgetIdle(name, owner);
        throw overload;
      }
      return new Promise((resolve, reject) => {
        const entry: Waiting = {
          bytes,
          begin: () => {
            signal.removeEventListener('abort', leave);
            perform(name, owner, job).then(resolve, reject);
          },
        };
        const leave = (): void => {
          owner.waiting.delete(entry);
          count(owner, entry, -1);
          forgetIdle(name, owner);
          reject(signal.reason);
        };
        owner.waiting.add(entry);
        count(owner, entry, 1);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
  };
};
