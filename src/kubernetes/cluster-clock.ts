/**
 * The time of the API server. The API server stamps the records, and replicas on nodes whose clocks differ have to agree on when an operation is
 * stale or a freeze ends. So it does not matter when the clock of this machine is wrong, or is set.
 */
export interface ClusterClock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** `date`: the `Date` header of an answer. `sentAtMs`: `monotonicMs()` before the request. */
  observe(date: string | null, sentAtMs: number): void;
  readonly monotonicMs: () => number;
}

/** `Date` has whole seconds, rounded down (RFC 9110, 5.6.7). */
const DATE_RESOLUTION_MS = 1_000;

/**
 * Begins with the clock of this machine. Each answer corrects it as little as needed. It is then right to within a second and the time that the
 * answer took.
 */
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
