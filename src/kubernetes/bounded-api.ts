import type { Api } from './api.ts';
import { createConcurrencyLimit } from './concurrency-limit.ts';

export interface BoundedApi extends Api {
  /** Requests under way. Watches do not count. */
  running(): number;
  waiting(): number;
}

/**
 * The same API with a bound on the requests under way at once. A review may need half a dozen requests, and a flood of reviews must not become
 * a flood of requests. A request that waits is given up when its signal fires, which is the deadline of its review. Beyond `maxWaiting`
 * a request is refused at once: one that would wait until its deadline only delays those that can still be in time.
 */
export const createBoundedApi = (
  api: Api,
  { maxAtOnce, maxWaiting }: { readonly maxAtOnce: number; readonly maxWaiting: number },
): BoundedApi => {
  const limit = createConcurrencyLimit(maxAtOnce, maxWaiting);
  return {
    request: (request) => limit.run(() => api.request(request), request.signal),
    watch: (request) => api.watch(request),
    running: limit.running,
    waiting: limit.waiting,
  };
};
