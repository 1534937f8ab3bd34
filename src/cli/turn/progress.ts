import { escapeText } from '../../text/escape.ts';
import { showDuration } from '../../text/when.ts';

/** What is said while something goes on. All of it goes to stderr: stdout is Helm's. */
export interface Progress {
  /** What is being waited for. On a terminal one line, rewritten in place; else a line at each change, and now and then. */
  waiting(what: string, waitedMs: number): void;
  /** Something to be kept. */
  say(text: string): void;
  /** Takes the line that is rewritten away, before somebody else writes. */
  clear(): void;
}

/** A pipe's reader, and a pipeline that ends jobs which are silent for long, is told that often. */
const REPEAT_EVERY_MS = 30_000;

/** Of a terminal that does not tell, or tells that it has none. */
const DEFAULT_COLUMNS = 80;

export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Longest line that is not cut: names and reasons of others stand in it. */
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
        // One column stays free: a terminal that wraps would not let go of the line before.
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
