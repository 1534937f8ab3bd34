/**
 * Whether an API server asks this replica while this replica cannot ask back. That is the one fault of the way to the API server which another
 * replica may not have: while the API server is down for all, nobody asks; and where it answers, if only by an error, the others fare alike.
 */
export interface Reachability {
  /** The API server answered, whatever it said. */
  noteAnswer(): void;
  /** A request to it was not answered. */
  noteNoAnswer(): void;
  /** It asked for a decision. */
  noteReview(): void;
  /** Not for a moment's trouble: only when both have lasted. */
  isCutOff(): boolean;
}

export interface ReachabilityOptions {
  /** Asks the API server something that it can answer without its storage: when that hangs, everybody's requests do. Never rejects. */
  readonly ask: () => Promise<void>;
  readonly monotonicMs?: () => number;
}

/** What came in before the API server went away is still being judged meanwhile, and is no sign that it lives. A review has 10 s at most. */
const UNANSWERED_MS = 10_000;

/** An API server that has come back asks at once; this is room for the watches to come back too, which takes 3 s, and for a slow start. */
const ASKED_SINCE_MS = 10_000;

export const createReachability = ({
  ask,
  monotonicMs = () => performance.now(),
}: ReachabilityOptions): Reachability => {
  let unansweredSinceMs: number | undefined;
  let askedSinceMs: number | undefined;
  let asking = false;
  return {
    noteAnswer: () => {
      unansweredSinceMs = undefined;
      askedSinceMs = undefined;
    },
    noteNoAnswer: () => {
      unansweredSinceMs ??= monotonicMs();
    },
    noteReview: () => {
      if (unansweredSinceMs === undefined) return;
      const nowMs = monotonicMs();
      if (nowMs - unansweredSinceMs < UNANSWERED_MS) return;
      askedSinceMs ??= nowMs;
      if (asking) return;
      asking = true;
      void ask().then(() => {
        asking = false;
      });
    },
    isCutOff: () => askedSinceMs !== undefined && monotonicMs() - askedSinceMs >= ASKED_SINCE_MS,
  };
};
