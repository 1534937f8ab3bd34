import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../cluster/api.ts';

/**
 * The same API, asked at most so many times a second: what goes through a whole cluster must not stand in anybody's way. Those who wait are
 * served in order.
 */
export const createPacedApi = (
  api: Api,
  requestsPerSecond: number,
  monotonicMs: () => number = () => performance.now(),
): Api => {
  let nextAtMs = Number.NEGATIVE_INFINITY;
  return {
    request: async (request) => {
      const now = monotonicMs();
      const atMs = Math.max(now, nextAtMs);
      nextAtMs = atMs + 1000 / requestsPerSecond;
      if (atMs > now)
        await sleep(atMs - now, undefined, request.signal === undefined ? {} : { signal: request.signal });
      return api.request(request);
    },
    watch: (request) => api.watch(request),
  };
};
