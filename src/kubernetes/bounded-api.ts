import type { Api } from './api.ts';
import { createTurns } from './turns.ts';

export interface BoundedApi extends Api {
  /** Requests under way, watches left out. */
  running(): number;
  waiting(): number;
}

/**
 * The same API, asked so many things at once at most: a flood of reviews must not become one of requests, of which each review may need
 * half a dozen. Those who wait give up when their signal fires, which is the deadline of their review. Beyond `maxWaiting` they are told so
 * at once: what would wait until its deadline only takes the turn of what could still be in time.
 */
export const createBoundedApi = (
  api: Api,
  { maxAtOnce, maxWaiting }: { readonly maxAtOnce: number; readonly maxWaiting: number },
): BoundedApi => {
  const turns = createTurns(maxAtOnce, maxWaiting);
  return {
    request: (request) => turns.take(() => api.request(request), request.signal),
    watch: (request) => api.watch(request),
    running: turns.running,
    waiting: turns.waiting,
  };
};
