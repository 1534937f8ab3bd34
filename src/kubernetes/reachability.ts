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
  readonly monotonicMs?: () => number;
}

/** Clear of what was on its way when the API server went. */
const UNANSWERED_MS = 5_000;

/** An API server that has come back asks at once; this is room for the watches to come back too, which takes 3 s, and for a slow start. */
const ASKED_SINCE_MS = 10_000;

/**
 * A connection that dies without a word takes along one request at a time, while others are answered; its siblings, and the watches, are likely to
 * have died with it. What broke off at once was told by the connection, and is no sign of that.
 */
const SILENT_MS = 1_000;

/** A new connection takes a second at most where there is a way. */
const RECONNECT_EVERY_MS = 10_000;

export const createReachability = ({
  ask,
  reconnect,
  renew,
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
    if (answered || monotonicMs() - reconnectedAtMs < RECONNECT_EVERY_MS) return;
    reconnectedAtMs = monotonicMs();
    reconnect();
  };

  /** Whether it has lasted. */
  const isUnanswered = (nowMs: number): boolean =>
    unansweredSinceMs !== undefined && nowMs - unansweredSinceMs >= UNANSWERED_MS;

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
      } else if (afterMs >= SILENT_MS && nowMs - reconnectedAtMs >= RECONNECT_EVERY_MS) {
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
    isCutOff: () => askedSinceMs !== undefined && monotonicMs() - askedSinceMs >= ASKED_SINCE_MS,
  };
};
