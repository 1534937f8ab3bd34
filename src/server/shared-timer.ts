/** Calls back after that time unless it is cancelled first. Returns how to cancel it. */
export type StartTimer = (afterMs: number, callback: () => void) => () => void;

/** How late the timer may notice that a review has expired: a fraction of the margin that is left for its answer. */
const TICK_MS = 50;

interface Waiting {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** One timer for all reviews that are being judged: to set and clear a timer for each review costs more than to judge most of them. */
export const createSharedTimer = (tickMs = TICK_MS): StartTimer => {
  const waiting = new Set<Waiting>();
  let ticking: NodeJS.Timeout | undefined;

  const look = (): void => {
    const nowMs = performance.now();
    for (const one of waiting) {
      if (one.dueMs > nowMs) continue;
      waiting.delete(one);
      one.callback();
    }
    if (waiting.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };

  return (afterMs, callback) => {
    const one: Waiting = { dueMs: performance.now() + afterMs, callback };
    waiting.add(one);
    ticking ??= setInterval(look, tickMs);
    return () => {
      waiting.delete(one);
    };
  };
};
