import type { LockIntervals } from '../../intervals/intervals.ts';
import { microTime } from '../../kubernetes/lease.ts';
import { EMPTY, type Holder, type LeaseTarget, type LockState, readLock, type StoredLease } from './lock-lease.ts';
import type { LockStore } from './lock-store.ts';
import { createObserver } from './observer.ts';
import { leaveLock, type Me, takeTurn } from './take-turn.ts';
import type { WaitLimit } from './wait-limit.ts';

export interface LockDependencies {
  readonly store: LockStore;
  readonly me: Me;
  readonly waitLimit: WaitLimit;
  readonly intervals: LockIntervals;
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number;
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Like `sleep`, but ends early when the signal fires. */
  readonly pause: (ms: number) => Promise<void>;
  /** Ends a wait. */
  readonly signal: AbortSignal;
  /** Ids of lock holders that started this process. A command inside of a lock does not wait for that lock. */
  readonly inherited: ReadonlySet<string>;
  readonly onWait: (holder: Holder | undefined, ahead: number) => void;
}

/** A held lock. It is renewed until it is given back. */
export interface HeldLock {
  readonly target: LeaseTarget;
  /** A process that started this one holds the lock. */
  readonly isInherited: boolean;
  /** The note of the previous holder. */
  readonly left: LockState['left'];
  /** Fires when somebody else has taken the lock, because this process was silent for too long. */
  readonly lost: AbortSignal;
  /** `left` is a note for the next holder. */
  giveBack(left: LockState['left']): Promise<void>;
}

/** The wait after a conflict. It is random, so that the competing processes do not all try again at the same moment. */
const jitterMs = (): number => 20 + Math.random() * 130;

/** Most attempts to write while others keep writing first. */
const MAX_ATTEMPTS = 30;

const beatOf = (wallMs: number): string => microTime(wallMs);

/** Gives up the lock, or the place in the queue. */
const leave = async (
  { store, sleep, me }: LockDependencies,
  target: LeaseTarget,
  left: LockState['left'],
): Promise<void> => {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const lease = await store.read(target);
    if (lease === undefined) return;
    const state = readLock(lease);
    if (state.holder?.id !== me.id && !state.queue.some(({ id }) => id === me.id)) return;
    const rest = leaveLock(state, me.id, left);
    const done = rest === undefined ? await store.remove(target, lease) : await store.write(target, rest, lease);
    if (done) return;
    await sleep(jitterMs());
  }
  throw new Error('others kept writing the Lease');
};

const hold = (
  dependencies: LockDependencies,
  target: LeaseTarget,
  taken: Holder,
  left: LockState['left'],
): HeldLock => {
  const { store, me, intervals, wallMs, sleep } = dependencies;
  const lost = new AbortController();
  let isOver = false;
  let endPause: () => void = () => undefined;

  const renew = async (): Promise<void> => {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS && !isOver; attempt += 1) {
      const lease = await store.read(target);
      const state = lease === undefined ? EMPTY : readLock(lease);
      if (state.holder !== undefined && state.holder.id !== me.id) {
        lost.abort();
        return;
      }
      // Somebody may have removed the Lease. This process still holds the lock if nobody else took it.
      const holder = { ...taken, beat: beatOf(wallMs()) };
      if (isOver || (await store.write(target, { ...state, holder }, lease)) !== undefined) return;
      await sleep(jitterMs());
    }
  };
  const renewing = (async (): Promise<void> => {
    while (!isOver && !lost.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, intervals.renewEveryMs);
        endPause = () => {
          clearTimeout(timer); // a running timer would keep the process alive
          resolve();
        };
      });
      // After a failure, the next renewal is the next attempt. The Lease then tells whether it is too late.
      if (!isOver) await renew().catch(() => undefined);
    }
  })();
  return {
    target,
    left,
    isInherited: false,
    lost: lost.signal,
    giveBack: async (note) => {
      isOver = true;
      endPause();
      await renewing;
      await leave(dependencies, target, note);
    },
  };
};

/**
 * Waits for the lock. Undefined: the time to wait is over, or a signal came, and the place in the queue is given up. Rejects with the errors
 * of the store.
 */
export const acquireLock = async (
  dependencies: LockDependencies,
  target: LeaseTarget,
): Promise<HeldLock | undefined> => {
  const { store, me, waitLimit, nowMs, wallMs, sleep, pause, signal, inherited, onWait } = dependencies;
  const { silenceMs, renewEveryMs, nextPollMs, pollMs } = dependencies.intervals;
  const observer = createObserver(nowMs);
  let lastBeatMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    const lease: StoredLease | undefined = await store.read(target);
    const state = lease === undefined ? EMPTY : readLock(lease);
    if (state.holder !== undefined && inherited.has(state.holder.id)) {
      return {
        target,
        left: undefined,
        isInherited: true,
        lost: new AbortController().signal,
        giveBack: async () => undefined,
      };
    }
    const isBeatDue = nowMs() - lastBeatMs >= renewEveryMs;
    const turn = takeTurn(state, me, observer, { nowMs: wallMs(), beat: beatOf(wallMs()), isBeatDue, silenceMs });
    const isOver = signal.aborted || waitLimit.isOver();
    if (turn.do === 'take' && !signal.aborted) {
      if ((await store.write(target, turn.write, lease)) !== undefined)
        return hold(dependencies, target, turn.write.holder, turn.write.left);
      await sleep(jitterMs());
      continue;
    }
    if (isOver) {
      await leave(dependencies, target, state.left).catch(() => undefined); // a silent process loses its place anyway
      return undefined;
    }
    if (turn.do === 'queue') {
      if ((await store.write(target, turn.write, lease)) === undefined) {
        await sleep(jitterMs());
        continue;
      }
      lastBeatMs = nowMs();
    }
    if (turn.do !== 'take') onWait(state.holder, turn.ahead);
    await pause(turn.do !== 'take' && turn.ahead === 0 ? nextPollMs : pollMs);
  }
};
