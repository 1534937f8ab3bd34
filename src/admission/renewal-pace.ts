import { LRUCache } from 'lru-cache';

/** Whether the holder of a claim may renew it again already. Each yes counts. */
export interface RenewalPace {
  mayRenew(claim: string, everyMs: number): boolean;
}

/** Claims whose last renewal is remembered: those of operations in flight, of which a cluster has some hundreds at most. */
const MAX_REMEMBERED = 10_000;

/**
 * Counts by Belay's own clock, because the holder writes the times of the Lease. Each replica counts for itself: a holder whose writes spread
 * over three replicas may renew three times as often.
 */
export const createRenewalPace = (nowMs: () => number): RenewalPace => {
  const renewedAtMs = new LRUCache<string, number>({ max: MAX_REMEMBERED });
  return {
    mayRenew: (claim, everyMs) => {
      const now = nowMs();
      if (now - (renewedAtMs.get(claim) ?? Number.NEGATIVE_INFINITY) < everyMs) return false;
      renewedAtMs.set(claim, now);
      return true;
    },
  };
};
