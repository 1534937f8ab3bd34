import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPolicies, type Policies } from '../../../src/facts/policies.ts';
import { DEFAULT_INTERVALS } from '../../../src/intervals/intervals.ts';
import { type Api, ApiError } from '../../../src/kubernetes/api.ts';
import { createLog } from '../../../src/telemetry/log.ts';

/** The policies in force before the API server has answered. Its answers are tested with a real one (test/cluster/policies.test.ts). */

const noIndex = { isSynced: () => false, releases: () => [], namespace: () => undefined };
const web = { namespace: 'shop', name: 'web' };

/** Runs policies for a moment against an API server that answers every request with this error. */
const runAgainst = async (error: ApiError, ms: number): Promise<{ policies: Policies; lines: string[] }> => {
  const lines: string[] = [];
  const api: Api = {
    request: () => Promise.reject(error),
    // biome-ignore lint/correctness/useYield: it never gets that far
    watch: async function* () {
      throw error;
    },
  };
  const log = createLog({ write: (line) => lines.push(line) });
  const policies = createPolicies({
    api,
    index: noIndex,
    log,
    intervals: DEFAULT_INTERVALS,
    nowMs: Date.now,
    staleAfterMs: 90_000,
  });
  const stop = new AbortController();
  const running = policies.run(stop.signal);
  await sleep(ms);
  stop.abort();
  await running;
  return { policies, lines };
};

test('while the API server does not answer, nothing is known, and the built-in defaults stand in', async () => {
  const { policies } = await runAgainst(new ApiError(0, 'Unreachable', 'the API server did not answer'), 300);
  assert.equal(policies.isSynced(), false);
  assert.equal(policies.inForce(web, {}).operations.staleAfterMs, 90_000);
  assert.deepEqual(policies.all(), []);
});

test('a Belay that may not list policies is not ready', async () => {
  const { policies } = await runAgainst(new ApiError(403, 'Forbidden', 'releasepolicies is forbidden'), 300);
  assert.equal(policies.isSynced(), false);
});

test('without the CRD Belay knows that there are no policies, and logs it once', async () => {
  const { policies, lines } = await runAgainst(new ApiError(404, 'NotFound', 'not found'), 2_500);
  assert.equal(policies.isSynced(), true);
  assert.equal(policies.inForce(web, {}).name, undefined);
  assert.equal(lines.length, 1, lines.join(''));
});
