// Our own, after client-go's tools/record: @kubernetes/client-node has no event recorder.
import type { Logger } from 'pino';
import type { EventIntervals } from '../intervals/intervals.ts';
import type { Api } from '../kubernetes/api.ts';
import { sleep } from '../kubernetes/sleep.ts';
import { escapeText } from '../text/escape.ts';
import { deliverEvent } from './deliver-event.ts';
import type { EventToNote } from './event-object.ts';
import { createEventQueue, type EventQueue, type QueuedEvent } from './event-queue.ts';
import { createEventWriter } from './event-writer.ts';
import { createFailureLog } from './failure-log.ts';

/** Kubernetes Events about releases and their objects. No review waits for them: they are noted at once and written in the background. */
export interface Events {
  /** Never throws. An Event for which there is no room is dropped and counted. */
  note(event: EventToNote): void;
  /** Writes the Events that are noted. Ends within FLUSH_MS of the signal; Events that still wait by then are dropped. */
  run(signal: AbortSignal): Promise<void>;
  /** Since the start. */
  counts(): EventCounts;
}

export interface EventCounts {
  /** Events created or added to. */
  readonly written: number;
  /** Occurrences left for the next Event of their series to count. */
  readonly held: number;
  /** `queue`: there was no room. `limit`: too many for a release or a namespace. `failed`: the API server did not take them. */
  readonly dropped: Readonly<Record<'queue' | 'limit' | 'failed', number>>;
}

export interface EventsDependencies {
  readonly api: Api;
  readonly log: Logger;
  readonly intervals: EventIntervals;
  readonly nowMs: () => number;
  /** Which replica this is: the pod's name. */
  readonly instance: string;
  /** Resolves after that time, or when the signal fires. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** Of the 5 s that the process has for ending after its last answer. */
const FLUSH_MS = 2_000;

/** `limit` fires FLUSH_MS after the signal; `onSignal` is called at the signal. */
const createFlushLimit = (
  signal: AbortSignal,
  onSignal: () => void,
): { readonly limit: AbortSignal; readonly cancel: () => void } => {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => limit.abort(), FLUSH_MS);
    onSignal();
  };
  if (signal.aborted) start();
  else signal.addEventListener('abort', start, { once: true });
  return { limit: limit.signal, cancel: () => clearTimeout(timer) };
};

interface Writing {
  readonly queue: EventQueue;
  readonly send: (queued: QueuedEvent, signal: AbortSignal) => Promise<void>;
  /** Resolves when an Event has been added to the queue, or the signal has fired. */
  readonly added: () => Promise<void>;
  readonly pause: () => Promise<unknown>;
}

/** Writes until the signal has fired and the queue is empty, or until `limit` fires. */
const writeAll = async (
  { queue, send, added, pause }: Writing,
  signal: AbortSignal,
  limit: AbortSignal,
): Promise<void> => {
  while (!limit.aborted) {
    const next = queue.next();
    if (next !== undefined) {
      await send(next, limit);
      if (!signal.aborted) await pause();
    } else if (signal.aborted) {
      return;
    } else {
      await added();
    }
  }
};

export const createEvents = (dependencies: EventsDependencies): Events => {
  const { api, log, nowMs, instance, wait = sleep } = dependencies;
  const { writeEveryMs, retryAfterMs, seriesMs } = dependencies.intervals;
  const writer = createEventWriter(api, nowMs, instance, seriesMs);
  const logFailure = createFailureLog(log, nowMs);
  const queue = createEventQueue(nowMs, seriesMs);
  let [written, failed] = [0, 0];
  let wake = (): void => {};

  const send = async (queued: QueuedEvent, signal: AbortSignal): Promise<void> => {
    try {
      if ((await deliverEvent(queued.event, { writer, wait, retryAfterMs }, signal)) === 'left alone')
        queue.holdBack(queued);
      else written += 1;
    } catch (error) {
      failed += 1;
      logFailure(queued.event, error, counts().dropped);
    }
  };

  const added = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });

  const counts = (): EventCounts => {
    const { held, dropped } = queue.counts();
    return { written, held, dropped: { ...dropped, failed } };
  };

  return {
    note: (event) => {
      try {
        queue.add(event);
        wake();
      } catch (error) {
        // The review that the Event is about has been answered, and must not hear of any error here.
        failed += 1;
        log.debug({ problem: escapeText(String(error)) }, 'an Event could not be noted');
      }
    },
    run: async (signal) => {
      const { limit, cancel } = createFlushLimit(signal, () => wake());
      await writeAll({ queue, send, added, pause: () => wait(writeEveryMs, signal) }, signal, limit);
      cancel();
      failed += queue.clear();
    },
    counts,
  };
};
