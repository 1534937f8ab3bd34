/** Tells how a long step is doing: one line that is rewritten on a terminal, a plain line every few seconds elsewhere. */
export interface Progress {
  /** A line that stays. */
  say(line: string): void;
  /** Shows `status()` until the returned function is called. */
  watch(status: () => string): () => void;
}

const plainIntervalMs = 5_000;
const terminalIntervalMs = 500;

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const startedMs = Date.now();
  const stamp = () => `[${formatSeconds((Date.now() - startedMs) / 1000).padStart(6)}]`;
  const wipe = () => stream.isTTY && stream.write('\r\x1b[K');
  return {
    say(line) {
      wipe();
      stream.write(`${stamp()} ${line}\n`);
    },
    watch(status) {
      const show = () => {
        wipe();
        stream.write(`${stamp()} ${status()}${stream.isTTY ? '' : '\n'}`);
      };
      const timer = setInterval(show, stream.isTTY ? terminalIntervalMs : plainIntervalMs);
      return () => {
        clearInterval(timer);
        wipe();
      };
    },
  };
}

export const silent: Progress = { say() {}, watch: () => () => {} };

/** `9 s`, `2 m 05 s`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} m ${String(whole % 60).padStart(2, '0')} s`;
}
