import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ReleaseName } from '../helm/names.ts';
import type { PolicyStatusIntervals } from '../intervals/intervals.ts';
import type { Api } from '../kubernetes/api.ts';
import { createWakeableSleep } from '../kubernetes/sleep.ts';
import type { Policy } from '../policy/policy.ts';
import { type CountedReleases, countReleases } from './count-releases.ts';
import { toPolicyStatus } from './policy-status.ts';
import { createPolicyStatusDelivery } from './policy-status-delivery.ts';
import type { StoredPolicy } from './stored-policy.ts';

export interface PolicyStatusWriter {
  /** Tells that something has changed, so that the writer looks soon. */
  wake(): void;
  /** Ends when the signal fires. */
  run(signal: AbortSignal): Promise<void>;
}

export interface PolicyStatusWriterOptions {
  readonly api: Api;
  readonly log: Logger;
  readonly intervals: PolicyStatusIntervals;
  readonly nowMs: () => number;
  readonly index: CountedReleases;
  readonly stored: () => readonly StoredPolicy[];
  readonly inForce: (release: ReleaseName) => Policy;
}

/**
 * Writes the status of policies. Each replica does so. All replicas come to the same status, and a replica that finds this status there
 * writes nothing. Where two replicas write at once, the API server refuses the second (Conflict), whose watch then shows it the first write.
 */
export const createPolicyStatusWriter = (options: PolicyStatusWriterOptions): PolicyStatusWriter => {
  const { api, log, nowMs, index, stored, inForce } = options;
  const { countEveryMs, settleMs, restMs } = options.intervals;
  const rest = createWakeableSleep();
  let counts: ReadonlyMap<string, number> = new Map();
  let countedAtMs = Number.NEGATIVE_INFINITY;
  const delivery = createPolicyStatusDelivery(api, log);

  const count = async (signal: AbortSignal): Promise<void> => {
    if (nowMs() - countedAtMs < countEveryMs || !index.isSynced()) return;
    countedAtMs = nowMs();
    const names = stored().map(({ name }) => name);
    counts = await countReleases(names, index.releases(), inForce, signal);
  };

  /** Resolves to whether there was anything to write. */
  const pass = async (signal: AbortSignal): Promise<boolean> => {
    delivery.forgetAllBut(stored());
    if (stored().length === 0) return false;
    await count(signal);
    const all = stored();
    let wrote = false;
    for (const policy of all) {
      const status = toPolicyStatus(policy, { all, matchedReleases: counts.get(policy.name), nowMs: nowMs() });
      if (delivery.isThere(policy, status)) continue;
      await delivery.write(policy, status, signal);
      wrote = true;
    }
    return wrote;
  };

  return {
    wake: rest.wake,
    run: async (signal) => {
      while (!signal.aborted) {
        await rest.sleep(countEveryMs, signal);
        try {
          await sleep(settleMs * Math.random(), undefined, { signal });
          if (await pass(signal)) await sleep(restMs, undefined, { signal });
        } catch (error) {
          if (!signal.aborted)
            log.error({ err: (error as Error).message }, 'the status of policies cannot be worked out');
        }
      }
    },
  };
};
