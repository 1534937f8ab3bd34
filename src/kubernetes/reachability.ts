import type { ReachabilityIntervals } from '../intervals/intervals.ts';

/**
 * Whether an API server sends reviews to this replica while this replica cannot reach the API server. Only then may another replica be better off.
 * While the API server is down for all replicas, it sends no reviews. While it answers, if only with errors, all replicas get the same answers.
 */
export interface Reachability {
  /** The API server answered, whatever it said. */
  noteAnswer(): void;
  /** A request to the API server was not answered. `afterMs`: when it broke off, or was given up. */
  noteNoAnswer(afterMs: number): void;
  /** The API server has sent a review. */
  noteReview(): void;
  /** True only when requests have failed and reviews have come for a while. */
  isCutOff(): boolean;
}

export interface ReachabilityOptions {
  /** Asks something that the API server can answer without its storage, because all replicas suffer when the storage hangs. False: no answer. */
  readonly ask: () => Promise<boolean>;
  /** Closes all connections, which may be dead, and opens new ones. */
  readonly reconnect: () => void;
  /** Goes on with new connections. Requests under way may finish on the old ones. */
  readonly renew: () => void;
  readonly intervals: ReachabilityIntervals;
  readonly monotonicMs?: () => number;
}

export const createReachability = ({
  ask,
  reconnect,
  renew,
  intervals: { unansweredMs, askedSinceMs: lastingMs, silentMs, reconnectEveryMs },
  monotonicMs = () => performance.now(),
}: ReachabilityOptions): Reachability => {
  let unansweredSinceMs: number | undefined;
  let askedSinceMs: number | undefined;
  /** When the connections were last closed or renewed. */
  let reconnectedAtMs = Number.NEGATIVE_INFINITY;
  let asking = false;

  const makeSure = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    const answered = await ask();
    asking = false;
    if (answered || monotonicMs() - reconnectedAtMs < reconnectEveryMs) return;
    reconnectedAtMs = monotonicMs();
    reconnect();
  };

  /** Whether requests have failed for long enough. */
  const isUnanswered = (nowMs: number): boolean =>
    unansweredSinceMs !== undefined && nowMs - unansweredSinceMs >= unansweredMs;

  return {
    noteAnswer: () => {
      unansweredSinceMs = undefined;
      askedSinceMs = undefined;
    },
    noteNoAnswer: (afterMs) => {
      const nowMs = monotonicMs();
      unansweredSinceMs ??= nowMs;
      if (isUnanswered(nowMs)) {
        void makeSure();
      } else if (afterMs >= silentMs && nowMs - reconnectedAtMs >= reconnectEveryMs) {
        reconnectedAtMs = nowMs;
        renew();
      }
    },
    noteReview: () => {
      if (unansweredSinceMs === undefined) return;
      const nowMs = monotonicMs();
      if (!isUnanswered(nowMs)) return;
      askedSinceMs ??= nowMs;
      void makeSure();
    },
    isCutOff: () => askedSinceMs !== undefined && monotonicMs() - askedSinceMs >= lastingMs,
  };
};
