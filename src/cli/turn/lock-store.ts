import type { LockIntervals } from '../../intervals/intervals.ts';
import { type Api, ApiError, isNotFound } from '../../kubernetes/api.ts';
import { deleteLease, type LeaseName, readLease, writeLease } from '../../kubernetes/lease.ts';
import { EXIT, Failure } from '../failure.ts';
import { type LeaseTarget, type LockState, lockLeaseName, type StoredLease, toLockLease } from './lock-lease.ts';

/** Reads and writes the Lease of a lock. */
export interface LockStore {
  read(target: LeaseTarget): Promise<StoredLease | undefined>;
  /** A compare-and-swap. Undefined: somebody has written since `previous` was read. */
  write(target: LeaseTarget, state: LockState, previous: StoredLease | undefined): Promise<StoredLease | undefined>;
  /** false: somebody has written since `lease` was read. */
  remove(target: LeaseTarget, lease: StoredLease): Promise<boolean>;
}

/** The namespace does not exist, and so neither does the release. */
export class NamespaceMissing extends Error {
  override readonly name = 'NamespaceMissing';
}

const leaseOf = ({ namespace, release }: LeaseTarget): LeaseName => ({ namespace, name: lockLeaseName(release) });

const denied = (error: unknown, { namespace }: LeaseTarget): unknown =>
  error instanceof ApiError && error.status === 403
    ? new Failure(
        `to lock a release is to write a Lease beside it, which you may not do in namespace ${namespace} (the built-in role edit may): ${error.message}`,
        EXIT.denied,
        error,
      )
    : error;

export const createLockStore = (api: Api): LockStore => ({
  read: async (target) => {
    try {
      return await readLease<StoredLease>(api, leaseOf(target));
    } catch (error) {
      throw denied(error, target);
    }
  },
  write: async (target, state, previous) => {
    const body = toLockLease(target, state, previous);
    try {
      return await writeLease<StoredLease>(api, { lease: leaseOf(target), body, isNew: previous === undefined });
    } catch (error) {
      if (isNotFound(error)) throw new NamespaceMissing(`there is no namespace ${target.namespace}`, { cause: error });
      throw denied(error, target);
    }
  },
  remove: async (target, { metadata: { resourceVersion, uid } }) => {
    try {
      return await deleteLease(api, leaseOf(target), { resourceVersion, uid });
    } catch (error) {
      throw denied(error, target);
    }
  },
});

const isPassing = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);

interface RideOptions {
  readonly intervals: Pick<LockIntervals, 'outageMs' | 'outageRetryEveryMs'>;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * The same store, which tries again during short outages, such as a restart of the API server. Before the first answer it does not try again,
 * so that a wrong address fails at once.
 */
export const ridingOutages = (
  store: LockStore,
  { nowMs, sleep, intervals: { outageMs, outageRetryEveryMs } }: RideOptions,
): LockStore => {
  let answeredAtMs: number | undefined;
  const ride = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        const answer = await attempt();
        answeredAtMs = nowMs();
        return answer;
      } catch (error) {
        if (!isPassing(error) || answeredAtMs === undefined || nowMs() - answeredAtMs > outageMs) throw error;
        await sleep(outageRetryEveryMs);
      }
    }
  };
  return {
    read: (target) => ride(() => store.read(target)),
    // A write may have been stored although its answer was lost. The next attempt then conflicts, and the lock is read again.
    write: (target, state, previous) => ride(() => store.write(target, state, previous)),
    remove: (target, lease) => ride(() => store.remove(target, lease)),
  };
};
