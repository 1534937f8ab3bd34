import { Overload } from './overload.ts';

/** Lets so many works run at once; the others wait for their turn, in order. */
export interface Turns {
  /** Rejects with the signal's reason when that fires before it is this work's turn, and with Overload when too many wait already. */
  take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  running(): number;
  waiting(): number;
}

export const createTurns = (maxAtOnce: number, maxWaiting = Number.POSITIVE_INFINITY): Turns => {
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
    take: async (work, signal) => {
      signal?.throwIfAborted();
      // Whoever has waited is handed the turn of the one before, so that nobody comes in between.
      if (running < maxAtOnce) running += 1;
      else if (waiting.size >= maxWaiting) throw new Overload(`${maxWaiting} wait for their turn`);
      else await wait(signal);
      try {
        return await work();
      } finally {
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
