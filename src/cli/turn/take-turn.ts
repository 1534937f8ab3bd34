import { type Holder, type LockState, MAX_WAITERS, type Waiter } from './lock-lease.ts';
import type { Observer } from './observer.ts';

/** Who asks for a turn. */
export interface Me {
  readonly id: string;
  readonly operation: string;
  readonly stepMs: number;
  /** When it began to wait, by its own clock: shown to others. */
  readonly sinceMs: number;
}

/** What to do about a lock as it was just read. A `write` is a compare-and-swap: it counts only if nobody wrote in between. */
export type Turn =
  | { readonly do: 'take'; readonly write: LockState & { readonly holder: Holder } }
  | { readonly do: 'queue'; readonly write: LockState; readonly ahead: number }
  | { readonly do: 'wait'; readonly ahead: number };

/** How this process looks at a lock. */
export interface Look {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly beat: string;
  readonly isBeatDue: boolean;
  /** How long this process may be silent itself; of others too, where their Lease does not say. */
  readonly silenceMs: number;
}

const isGone = (
  observer: Observer,
  kind: 'holder' | 'waiter',
  { id, beat }: Pick<Waiter, 'id' | 'beat'>,
  silenceMs: number,
): boolean => observer.unchangedMs(`${kind} ${id}`, beat) >= silenceMs;

/** One look at the lock: take it when it is free and nobody waits longer, else queue up or keep one's place. */
export const takeTurn = (
  state: LockState,
  me: Me,
  observer: Observer,
  { nowMs, beat, isBeatDue, silenceMs }: Look,
): Turn => {
  const { holder } = state;
  // All of them are looked at every time, or one that is seen for the first time when it is first in line would have its time all over again.
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

/** Without me: the holder gone or my place in the queue given up. Undefined: nothing is left to be kept, and the Lease may go. */
export const leaveLock = (state: LockState, id: string, left: LockState['left']): LockState | undefined => {
  const holder = state.holder?.id === id ? undefined : state.holder;
  const queue = state.queue.filter((waiter) => waiter.id !== id);
  const note = state.holder?.id === id ? left : state.left;
  return holder === undefined && queue.length === 0 && note === undefined ? undefined : { holder, queue, left: note };
};
