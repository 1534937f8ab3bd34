import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Progress } from './progress.ts';

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The exit code of a shell for a process that a signal has ended. */
export const exitCodeOf = (signal: NodeJS.Signals): number => 128 + (constants.signals[signal] ?? 0);

/** The signals to this process. They end a wait, and are passed to the running program. */
export interface Signals {
  /** Fires with the first signal. */
  readonly signal: AbortSignal;
  readonly received: NodeJS.Signals | undefined;
  /** Passes signals to a program until it has ended. */
  passOnTo(child: ChildProcess): void;
  stop(): void;
}

/** `killAfterMs` is the time from the second signal to SIGKILL. */
export const catchSignals = (progress: Progress, isTerminal: boolean, killAfterMs: number): Signals => {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  let child: ChildProcess | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const isFirst = received === undefined;
    received ??= signal;
    controller.abort();
    if (child === undefined) return;
    // A terminal sends Ctrl-C to all foreground processes, so Helm already has it.
    if (signal !== 'SIGINT' || !isTerminal) child.kill(signal);
    if (isFirst) {
      progress.say(`${signal}: waiting for the command to end`);
      return;
    }
    const running = child;
    setTimeout(() => running.kill('SIGKILL'), killAfterMs).unref();
  };
  for (const name of PASSED_ON) process.on(name, onSignal);
  return {
    signal: controller.signal,
    get received() {
      return received;
    },
    passOnTo: (running) => {
      child = running;
      running.once('exit', () => {
        child = undefined;
      });
    },
    stop: () => {
      for (const name of PASSED_ON) process.off(name, onSignal);
    },
  };
};
