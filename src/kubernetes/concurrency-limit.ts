// Our own, after a look at p-limit (work that waits cannot be given up) and p-queue (work whose signal has fired no longer counts, though it
// may still be running). Neither bounds how many wait.
import { Overload } from './overload.ts';

/** Runs at most `maxAtOnce` pieces of work at once. The others wait, and run in the order in which they came. */
export interface ConcurrencyLimit {
  /** Rejects with the signal's reason when the signal fires while the work waits, and with Overload when too many wait already. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  running(): number;
  waiting(): number;
}

export const createConcurrencyLimit = (maxAtOnce: number, maxWaiting = Number.POSITIVE_INFINITY): ConcurrencyLimit => {
  const waiting = new Set<() => void>();
  let running = 0;

  const wait = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiting.delete(begin);
        reject(signal?.reason);
      };
      waiting.add(begin);
      signal?.addEventListener('abort', giveUp, { once: true });
    });

  return {
    run: async (work, signal) => {
      signal?.throwIfAborted();
      if (running < maxAtOnce) running += 1;
      else if (waiting.size >= maxWaiting) throw new Overload(`${maxWaiting} wait for their turn`);
      else await wait(signal);
      try {
        return await work();
      } finally {
        // The first in the queue takes over the place, so that no newcomer gets in between.
        const [next] = waiting;
        if (next === undefined) running -= 1;
        else {
          waiting.delete(next);
          next();
        }
      }
    },
    running: () => running,
    waiting: () => waiting.size,
  };
};
