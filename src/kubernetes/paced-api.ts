import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from './api.ts';

export interface PacedApi extends Api {
  /** How many requests have been sent. */
  requests(): number;
}

/**
 * The same API with a bound on the requests a second: work that goes through a whole cluster must not slow down anybody else. Requests that wait
 * are sent in order.
 */
export const createPacedApi = (
  api: Api,
  requestsPerSecond: number,
  monotonicMs: () => number = () => performance.now(),
): PacedApi => {
  let nextAtMs = Number.NEGATIVE_INFINITY;
  let requests = 0;
  return {
    request: async (request) => {
      const now = monotonicMs();
      const atMs = Math.max(now, nextAtMs);
      nextAtMs = atMs + 1000 / requestsPerSecond;
      if (atMs > now)
        await sleep(atMs - now, undefined, request.signal === undefined ? {} : { signal: request.signal });
      requests += 1;
      return api.request(request);
    },
    watch: (request) => api.watch(request),
    requests: () => requests,
  };
};
