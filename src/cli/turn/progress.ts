import { escapeText } from '../../text/escape.ts';
import { showDuration } from '../../text/when.ts';

/** Messages while `lock` works. They go to stderr, because stdout is Helm's. */
export interface Progress {
  /** Shows the reason of a wait. A terminal has one line that is rewritten. Otherwise each change is a line, repeated from time to time. */
  waiting(what: string, waitedMs: number): void;
  /** Prints a line that stays. */
  say(text: string): void;
  /** Removes the rewritten line, before another program writes. */
  clear(): void;
}

/** How often a line is repeated into a pipe. Some pipelines end jobs that are silent for long. */
const REPEAT_EVERY_MS = 30_000;

/** The width of a terminal that reports none. */
const DEFAULT_COLUMNS = 80;

export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Longest line. Names and reasons of others may be longer, and are cut. */
const MAX_CHARACTERS = 1_000;

export const createProgress = (screen: Screen, nowMs: () => number): Progress => {
  let shown = '';
  let last = '';
  let lastMs = Number.NEGATIVE_INFINITY;
  const clear = (): void => {
    if (shown !== '') screen.write('\r\u001b[2K');
    shown = '';
  };
  return {
    clear,
    say: (text) => {
      clear();
      screen.write(
        `${text
          .split('\n')
          .map((line) => `lock: ${escapeText(line, MAX_CHARACTERS)}`)
          .join('\n')}\n`,
      );
    },
    waiting: (what, waitedMs) => {
      const elapsed = `(waiting for ${showDuration(waitedMs)})`;
      if (screen.isTTY) {
        // One column stays free. A line that wraps could not be rewritten in place.
        const room = Math.max(40, (screen.columns || DEFAULT_COLUMNS) - 1);
        const line = `lock: ${escapeText(what, MAX_CHARACTERS)}`;
        const fitting =
          line.length + elapsed.length + 1 <= room ? line : `${line.slice(0, room - elapsed.length - 2)}…`;
        const next = `${fitting} ${elapsed}`;
        if (next !== shown) screen.write(`\r\u001b[2K${next}`);
        shown = next;
        return;
      }
      if (what === last && nowMs() - lastMs < REPEAT_EVERY_MS) return;
      screen.write(`lock: ${escapeText(what, MAX_CHARACTERS)}${what === last ? ` ${elapsed}` : ''}\n`);
      last = what;
      lastMs = nowMs();
    },
  };
};
