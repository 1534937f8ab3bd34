import { ApiError } from '../kubernetes/api.ts';
import type { EventToWrite } from './event-object.ts';
import type { EventWriter, Written } from './event-writer.ts';

/** For the API server to come back: a restart of it takes some seconds. */
const MAX_ATTEMPTS = 3;
const RETRY_AFTER_MS = 2_000;
const WRITE_TIMEOUT_MS = 5_000;

/** The Event is not to blame, and the fault is over in a while. */
const isPassing = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);

/** Writes an Event, in several attempts where the API server does not answer. Rejects with the error of the last one. */
export const deliverEvent = async (
  writer: EventWriter,
  event: EventToWrite,
  wait: (ms: number, signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
): Promise<Written> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writer.write(event, AbortSignal.any([signal, AbortSignal.timeout(WRITE_TIMEOUT_MS)]));
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isPassing(error) || signal.aborted) throw error;
      await wait(RETRY_AFTER_MS, signal);
    }
  }
};
