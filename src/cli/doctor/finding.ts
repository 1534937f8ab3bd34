/**
 * `ok`: as it should be. `warn`: Belay works, but somebody should look. `fail`: something is broken. `skip`: not checked, and why.
 * What cannot be checked is never called broken.
 */
export type State = 'ok' | 'warn' | 'fail' | 'skip';

/** What a check has found. Safe to show: whoever makes one escapes what others wrote. */
export interface Finding {
  /** One word or a few, the same in each run. */
  readonly check: string;
  readonly state: State;
  /** One sentence. */
  readonly says: string;
  /** A line each, for what is listed. */
  readonly details?: readonly string[];
  /** The command to run next. */
  readonly next?: string;
  /** How long the API server took to answer, for those that try a write. */
  readonly latencyMs?: number;
}

/** Longest list that is shown. */
const MAX_LISTED = 10;

export const atMost = (lines: readonly string[], max = MAX_LISTED): readonly string[] =>
  lines.length <= max ? lines : [...lines.slice(0, max), `and ${lines.length - max} more`];

/** `1 release`, `3 releases` */
export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;
