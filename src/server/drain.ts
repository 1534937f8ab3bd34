import { setTimeout as sleep } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import type { Logger } from 'pino';
import type { ReadinessCheck } from './app.ts';
import type { RunningServer } from './listener.ts';

/** Time after the drain for the answers that are under way. No webhook waits longer than 30 s, and few longer than 10 s. */
export const CLOSE_DEADLINE_MS = 10_000;

export interface DrainOptions {
  /** How long Belay goes on serving, because Endpoints and kube-proxy take seconds to send the API server elsewhere. 10 s by default. */
  readonly drainMs?: number;
  readonly closeDeadlineMs?: number;
  readonly log: Logger;
  /** Resolves after that time. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

export interface Drain {
  isDraining(): boolean;
  /** The check for /readyz. */
  check(): ReadinessCheck;
  /** Says that Belay is not ready, goes on serving, closes, and drops the answers that are not out by the deadline. A second call joins the first. */
  run(servers: readonly RunningServer[]): Promise<void>;
}

export const createDrain = (options: DrainOptions): Drain => {
  const { drainMs = 10_000, closeDeadlineMs = CLOSE_DEADLINE_MS, log } = options;
  const wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined));
  let running: Promise<void> | undefined;

  const drain = async (servers: readonly RunningServer[]): Promise<void> => {
    log.info({ drainMs }, 'draining: not ready any more, still serving');
    await wait(drainMs, new AbortController().signal);
    const closed = new AbortController();
    const closing = Promise.all(servers.map((server) => server.close())).then(() => closed.abort());
    const overdue = wait(closeDeadlineMs, closed.signal).then(() => {
      if (closed.signal.aborted) return;
      log.warn({ closeDeadlineMs }, 'some connections did not end in time: dropping them');
      for (const server of servers) server.closeNow();
    });
    await Promise.all([closing, overdue]);
    log.info('closed');
  };

  return {
    isDraining: () => running !== undefined,
    check: () => ({ name: 'not-draining', ok: running === undefined, detail: 'shutting down' }),
    run: (servers) => {
      running ??= drain(servers);
      return running;
    },
  };
};

export interface ExitOptions {
  readonly log: Logger;
  /** Longer than `onSignal` can take in all. */
  readonly delayMs: number;
  readonly onSignal: () => Promise<void>;
}

/**
 * The one way out of the process. SIGTERM and SIGINT run `onSignal`; a second signal or the deadline cuts it short. An error that nobody has
 * caught is logged and ends the process at once, because its state cannot be trusted any more. Returns how to take the handlers away again.
 */
export const exitGracefully = ({ log, delayMs, onSignal }: ExitOptions): (() => void) => {
  const logger = { error: (problem: unknown) => log.error({ problem: String(problem) }, 'leaving in a hurry') };
  const { uninstall } = closeWithGrace({ delay: delayMs, logger }, async ({ err, signal }) => {
    if (err !== undefined) {
      log.fatal({ err }, 'an error that nobody caught');
      return;
    }
    if (signal !== undefined) await onSignal();
  });
  return uninstall;
};
