import { type Holder, type LockState, MAX_WAITERS, type Waiter } from './lock-lease.ts';
import type { Observer } from './observer.ts';

/** The process that asks for the lock. */
export interface Me {
  readonly id: string;
  readonly operation: string;
  readonly stepMs: number;
  /** When it began to wait, by its own clock. It is shown to others. */
  readonly sinceMs: number;
}

/** The next step with a lock that was just read. A `write` is a compare-and-swap, and counts only if nobody wrote in between. */
export type Turn =
  | { readonly do: 'take'; readonly write: LockState & { readonly holder: Holder } }
  | { readonly do: 'queue'; readonly write: LockState; readonly ahead: number }
  | { readonly do: 'wait'; readonly ahead: number };

/** The time at which a lock is read, and the intervals of this process. */
export interface TurnTiming {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly beat: string;
  readonly isBeatDue: boolean;
  /** The longest silence of this process. It also applies to others if their Lease does not say. */
  readonly silenceMs: number;
}

const isGone = (
  observer: Observer,
  kind: 'holder' | 'waiter',
  { id, beat }: Pick<Waiter, 'id' | 'beat'>,
  silenceMs: number,
): boolean => observer.unchangedMs(`${kind} ${id}`, beat) >= silenceMs;

/** Decides the next step: take a free lock if nobody has waited longer, or else join the queue or keep the place in it. */
export const takeTurn = (
  state: LockState,
  me: Me,
  observer: Observer,
  { nowMs, beat, isBeatDue, silenceMs }: TurnTiming,
): Turn => {
  const { holder } = state;
  // Every waiter is observed at every step. Otherwise the silence of a waiter would count only from when it is first in line.
  const living = state.queue.filter((waiter) => !isGone(observer, 'waiter', waiter, silenceMs) || waiter.id === me.id);
  const holderIsGone = holder !== undefined && isGone(observer, 'holder', holder, holder.silenceMs ?? silenceMs);
  const place = living.findIndex(({ id }) => id === me.id);
  const ahead = place < 0 ? living.length : place;

  if ((holder === undefined || holderIsGone || holder.id === me.id) && ahead === 0) {
    const taken: Holder = { id: me.id, operation: me.operation, sinceMs: nowMs, stepMs: me.stepMs, beat, silenceMs };
    const left =
      holderIsGone && holder.id !== me.id
        ? { id: holder.id, operation: holder.operation, stepMs: holder.stepMs, how: 'vanished' as const }
        : state.left;
    return { do: 'take', write: { holder: taken, queue: living.filter(({ id }) => id !== me.id), left } };
  }
  const mine: Waiter = { id: me.id, operation: me.operation, sinceMs: me.sinceMs, beat };
  if (place < 0) {
    if (living.length >= MAX_WAITERS) return { do: 'wait', ahead };
    return { do: 'queue', write: { ...state, queue: [...living, mine] }, ahead };
  }
  if (!isBeatDue) return { do: 'wait', ahead };
  return { do: 'queue', write: { ...state, queue: living.map((one) => (one.id === me.id ? mine : one)) }, ahead };
};

/** The lock without this holder or waiter. Undefined: nothing is left, and the Lease can be deleted. */
export const leaveLock = (state: LockState, id: string, left: LockState['left']): LockState | undefined => {
  const holder = state.holder?.id === id ? undefined : state.holder;
  const queue = state.queue.filter((waiter) => waiter.id !== id);
  const note = state.holder?.id === id ? left : state.left;
  return holder === undefined && queue.length === 0 && note === undefined ? undefined : { holder, queue, left: note };
};
