import { LRUCache } from 'lru-cache';

/** Whether the holder of a claim may renew it already. Each yes counts as a renewal. */
export interface RenewalPace {
  mayRenew(claim: string, everyMs: number): boolean;
}

/** How many claims have their last renewal remembered. Only operations in flight count, and a cluster has some hundreds at most. */
const MAX_REMEMBERED = 10_000;

/**
 * The pace goes by Belay's own clock, because the holder writes the times of the Lease. Each replica counts for itself, so a holder whose writes
 * go to three replicas may renew three times as often.
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
