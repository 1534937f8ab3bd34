import { ApiError } from '../kubernetes/api.ts';
import type { EventToWrite } from './event-object.ts';
import type { EventWriter, Written } from './event-writer.ts';

const MAX_ATTEMPTS = 3;
const WRITE_TIMEOUT_MS = 5_000;

/** The Event is not to blame, and the fault is over in a while. */
const isPassing = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);

export interface DeliveryOptions {
  readonly writer: EventWriter;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly retryAfterMs: number;
}

/** Writes an Event, in several attempts where the API server does not answer. Rejects with the error of the last one. */
export const deliverEvent = async (
  event: EventToWrite,
  { writer, wait, retryAfterMs }: DeliveryOptions,
  signal: AbortSignal,
): Promise<Written> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writer.write(event, AbortSignal.any([signal, AbortSignal.timeout(WRITE_TIMEOUT_MS)]));
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isPassing(error) || signal.aborted) throw error;
      await wait(retryAfterMs, signal);
    }
  }
};
