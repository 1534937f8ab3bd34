import type { LockIntervals } from '../../intervals/intervals.ts';
import { microTime } from '../../kubernetes/lease.ts';
import { EMPTY, type Holder, type LeaseTarget, type LockState, readLock, type StoredLease } from './lock-lease.ts';
import type { LockStore } from './lock-store.ts';
import { createObserver } from './observer.ts';
import type { Patience } from './patience.ts';
import { leaveLock, type Me, takeTurn } from './take-turn.ts';

export interface LockDependencies {
  readonly store: LockStore;
  readonly me: Me;
  readonly patience: Patience;
  readonly intervals: LockIntervals;
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number;
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** The same, but it ends early when the signal fires. */
  readonly pause: (ms: number) => Promise<void>;
  /** Ends a wait. */
  readonly signal: AbortSignal;
  /** Ids of locks that are held by those who started this process: what runs inside of a lock does not wait for it. */
  readonly inherited: ReadonlySet<string>;
  readonly onWait: (holder: Holder | undefined, ahead: number) => void;
}

/** A lock that is held, and renewed until it is given back. */
export interface HeldLock {
  readonly target: LeaseTarget;
  /** Held by somebody who started this process. */
  readonly isInherited: boolean;
  /** What the holder before left behind. */
  readonly left: LockState['left'];
  /** Fires when somebody else has it: this process was silent for too long. */
  readonly lost: AbortSignal;
  /** `left` is told to the next one. */
  giveBack(left: LockState['left']): Promise<void>;
}

/** Somebody wrote first: not all of them are to try again at the same moment. */
const jitterMs = (): number => 20 + Math.random() * 130;

/** Writes on top of whatever is there, as often as somebody else is faster. */
const MAX_ATTEMPTS = 30;

const beatOf = (wallMs: number): string => microTime(wallMs);

/** Gives up a place: as the holder, or in the queue. */
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
      // Where somebody removed it, but nobody took it, it is still ours.
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
          clearTimeout(timer); // it would keep the process
          resolve();
        };
      });
      // One that fails is tried again when the next one is due; whether it was too late by then, the Lease tells.
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
 * Waits for one's turn. Undefined when patience is over or a signal came: one's place is then given up. Rejects with what the store rejects
 * with.
 */
export const acquireLock = async (
  dependencies: LockDependencies,
  target: LeaseTarget,
): Promise<HeldLock | undefined> => {
  const { store, me, patience, nowMs, wallMs, sleep, pause, signal, inherited, onWait } = dependencies;
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
    const isOver = signal.aborted || patience.isOver();
    if (turn.do === 'take' && !signal.aborted) {
      if ((await store.write(target, turn.write, lease)) !== undefined)
        return hold(dependencies, target, turn.write.holder, turn.write.left);
      await sleep(jitterMs());
      continue;
    }
    if (isOver) {
      await leave(dependencies, target, state.left).catch(() => undefined); // who is silent loses the place anyway
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
