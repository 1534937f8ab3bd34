import type { Logger } from 'pino';
import { ApiError } from '../kubernetes/api.ts';
import { escapeText } from '../text/escape.ts';
import type { EventToWrite } from './event-object.ts';

const WARN_EVERY_MS = 60_000;

/** The namespace is being deleted or is gone, and its Events with it. Nobody has to know. */
const isNamespaceEnding = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.status === 404 || (error.status === 403 && error.message.includes('being terminated')));

/** Logs Events that could not be written, with a warning once a minute. `dropped`: the counts so far. */
export const createFailureLog = (
  log: Logger,
  nowMs: () => number,
): ((event: EventToWrite, error: unknown, dropped: object) => void) => {
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  return (event, error, dropped) => {
    const { namespace, name } = event.release;
    const problem = escapeText((error as Error).message);
    const line = { reason: event.reason, namespace: escapeText(namespace), release: escapeText(name), problem };
    if (isNamespaceEnding(error) || Math.abs(nowMs() - warnedAtMs) < WARN_EVERY_MS) {
      log.debug(line, 'an Event could not be written');
    } else {
      warnedAtMs = nowMs();
      log.warn({ ...line, dropped }, 'an Event could not be written');
    }
  };
};
