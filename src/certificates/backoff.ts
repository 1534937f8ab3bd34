const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 15_000;

/** Doubles with each failure in a row. Between half of that and all of it, so that replicas do not try at the same moments. */
export const backoffMs = (failures: number): number =>
  Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);
