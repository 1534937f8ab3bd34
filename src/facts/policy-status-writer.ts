import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { ReleaseName } from '../helm/names.ts';
import type { PolicyStatusIntervals } from '../intervals/intervals.ts';
import { type Api, isConflict, isNotFound, pathOf } from '../kubernetes/api.ts';
import type { ReflectedObject } from '../kubernetes/object.ts';
import { createWakeableSleep } from '../kubernetes/sleep.ts';
import type { Policy } from '../policy/policy.ts';
import { type CountedReleases, countReleases } from './count-releases.ts';
import { POLICIES_PATH, type PolicyStatus, toPolicyStatus } from './policy-status.ts';
import type { StoredPolicy } from './stored-policy.ts';

export interface PolicyStatusWriter {
  /** Something has changed: look soon. */
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

/** What was sent, and the version of the object that came of it. */
interface Sent {
  readonly status: PolicyStatus;
  readonly resourceVersion: string | undefined;
}

/**
 * Writes the status of policies. Each replica does: all come to the same status, and who finds it there has nothing to write. Where two
 * write at once, the API server refuses the second (Conflict), which is then told of the first by its watch.
 */
export const createPolicyStatusWriter = (options: PolicyStatusWriterOptions): PolicyStatusWriter => {
  const { api, log, nowMs, index, stored, inForce } = options;
  const { countEveryMs, settleMs, restMs } = options.intervals;
  const rest = createWakeableSleep();
  let counts: ReadonlyMap<string, number> = new Map();
  let countedAtMs = Number.NEGATIVE_INFINITY;
  /** By uid. A CRD of another version may drop a field of the status: the same must not be sent for ever. */
  const sent = new Map<string, Sent>();
  /** By uid, so that a lasting failure is told once. */
  const failures = new Map<string, string>();

  const count = async (signal: AbortSignal): Promise<void> => {
    if (nowMs() - countedAtMs < countEveryMs || !index.isSynced()) return;
    countedAtMs = nowMs();
    const names = stored().map(({ name }) => name);
    counts = await countReleases(names, index.releases(), inForce, signal);
  };

  const write = async ({ object, name, uid }: StoredPolicy, status: PolicyStatus, signal: AbortSignal) => {
    try {
      const written = await api.request<ReflectedObject>({
        method: 'PUT',
        path: `${POLICIES_PATH}${pathOf(name, 'status')}`,
        // With the resourceVersion that was seen: a status is never written over a version that it does not speak of.
        body: { ...object, apiVersion: 'belay.dev/v1alpha1', kind: 'ReleasePolicy', status },
        signal,
      });
      sent.set(uid, { status, resourceVersion: written.metadata?.resourceVersion });
      failures.delete(uid);
    } catch (error) {
      if (signal.aborted || isConflict(error) || isNotFound(error)) return;
      const problem = (error as Error).message;
      if (failures.get(uid) !== problem)
        log.warn({ policy: name, err: problem }, 'the status of a policy cannot be written');
      failures.set(uid, problem);
    }
  };

  const isThere = ({ object, uid }: StoredPolicy, status: PolicyStatus): boolean => {
    if (isDeepStrictEqual(object.status, status)) return true;
    const last = sent.get(uid);
    return last?.resourceVersion === object.metadata?.resourceVersion && isDeepStrictEqual(last?.status, status);
  };

  const forgetAllBut = (all: readonly StoredPolicy[]): void => {
    const uids = new Set(all.map(({ uid }) => uid));
    for (const map of [sent, failures]) for (const uid of map.keys()) if (!uids.has(uid)) map.delete(uid);
  };

  /** Resolves to whether there was anything to write. */
  const pass = async (signal: AbortSignal): Promise<boolean> => {
    forgetAllBut(stored());
    if (stored().length === 0) return false;
    await count(signal);
    const all = stored();
    let wrote = false;
    for (const policy of all) {
      const status = toPolicyStatus(policy, { all, matchedReleases: counts.get(policy.name), nowMs: nowMs() });
      if (isThere(policy, status)) continue;
      await write(policy, status, signal);
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
