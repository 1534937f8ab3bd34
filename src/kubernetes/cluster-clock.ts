/**
 * The time of the API server, which is what everybody compares with: it stamps the records, and replicas on nodes whose clocks differ have to
 * agree on when an operation is stale or a freeze ends. A clock of this machine that is wrong, or is stepped, changes nothing.
 */
export interface ClusterClock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Takes note of an answer's `Date` header; `sentAtMs` is `monotonicMs()` from before the request. */
  observe(date: string | null, sentAtMs: number): void;
  readonly monotonicMs: () => number;
}

/** `Date` has whole seconds, rounded down (RFC 9110, 5.6.7). */
const DATE_RESOLUTION_MS = 1_000;

/** Begins with the clock of this machine, and moves by as little as each answer demands: within a second, and the time the answer took. */
export const createClusterClock = (
  wallMs: () => number,
  monotonicMs: () => number = () => performance.now(),
): ClusterClock => {
  let offsetMs = wallMs() - monotonicMs();
  return {
    nowMs: () => Math.trunc(offsetMs + monotonicMs()),
    monotonicMs,
    observe: (date, sentAtMs) => {
      const serverMs = Date.parse(date ?? '');
      if (Number.isNaN(serverMs)) return;
      const earliestMs = serverMs - monotonicMs();
      const latestMs = serverMs + DATE_RESOLUTION_MS - sentAtMs;
      offsetMs = Math.min(Math.max(offsetMs, earliestMs), latestMs);
    },
  };
};
