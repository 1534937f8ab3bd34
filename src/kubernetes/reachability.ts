import type { ReachabilityIntervals } from '../intervals/intervals.ts';

/**
 * Whether an API server asks this replica while this replica cannot ask back. That is the one fault of the way to the API server which another
 * replica may not have: while the API server is down for all, nobody asks; and where it answers, if only by an error, the others fare alike.
 */
export interface Reachability {
  /** The API server answered, whatever it said. */
  noteAnswer(): void;
  /** A request to it was not answered for so long, or broke off then. */
  noteNoAnswer(afterMs: number): void;
  /** It asked for a decision. */
  noteReview(): void;
  /** Not for a moment's trouble: only when both have lasted. */
  isCutOff(): boolean;
}

export interface ReachabilityOptions {
  /** Asks something that the API server can answer without its storage: when that hangs, everybody's requests do. False: no answer. */
  readonly ask: () => Promise<boolean>;
  /** Begins anew with other connections: those that there are may be dead. */
  readonly reconnect: () => void;
  /** Goes on with other connections, and lets what is under way come to its end. */
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
  /** Or renewed. */
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

  /** Whether it has lasted. */
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
