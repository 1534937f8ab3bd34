/**
 * `ok`: as it should be. `warn`: Belay works, but somebody should look. `fail`: something is broken. `skip`: it could not be checked, which
 * never counts as broken.
 */
export type State = 'ok' | 'warn' | 'fail' | 'skip';

/** The result of a check. It is safe to show: the check escapes text of others. */
export interface Finding {
  /** One word or a few, the same in each run. */
  readonly check: string;
  readonly state: State;
  /** One sentence. */
  readonly says: string;
  /** Lines of a list below it. */
  readonly details?: readonly string[];
  /** The command to run next. */
  readonly next?: string;
  /** How long the API server took to answer a tried write. */
  readonly latencyMs?: number;
}

/** Longest list that is shown. */
const MAX_LISTED = 10;

export const atMost = (lines: readonly string[], max = MAX_LISTED): readonly string[] =>
  lines.length <= max ? lines : [...lines.slice(0, max), `and ${lines.length - max} more`];

/** `1 release`, `3 releases` */
export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;
