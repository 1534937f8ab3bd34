import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { parseRecordName } from '../helm/record.ts';
import { type Api, ApiError } from '../kubernetes/api.ts';
import { escapeText } from '../text/escape.ts';
import { createEventLimiter, type Occurrence } from './event-limiter.ts';
import { type EventToNote, type EventToWrite, eventNamespace, type Regarding, toMessage } from './event-object.ts';
import { createEventWriter } from './event-writer.ts';

/** Kubernetes Events about releases and their objects. Never in a review's way: they are noted at once and written in the background. */
export interface Events {
  /** Never throws. What does not fit is dropped and counted. */
  note(event: EventToNote): void;
  /** Writes what is noted. Ends within FLUSH_MS of the signal, with what is waiting written if that suffices. */
  run(signal: AbortSignal): Promise<void>;
  /** Since the start. */
  counts(): EventCounts;
}

export interface EventCounts {
  /** Events created or added to. */
  readonly written: number;
  /** Occurrences left for the next Event of their series to count. */
  readonly held: number;
  /** For want of room in the queue; by the limits on a release and a namespace; because the API server did not take them. */
  readonly dropped: Readonly<Record<'queue' | 'limit' | 'failed', number>>;
}

export interface EventsDependencies {
  readonly api: Api;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** Which replica this is: the pod's name. */
  readonly instance: string;
  /** Resolves after that time, or when the signal fires. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** Ten a second, between what client-go allows a client by default (5) and what a kubelet may send (50, eventRecordQPS). */
const WRITE_EVERY_MS = 100;

/** A minute's worth at that rate: whatever waited for longer would tell of what is long past. About 2 MB at most. */
export const MAX_QUEUED = 600;

/** For the API server to come back: a restart of it takes some seconds. */
const MAX_ATTEMPTS = 3;
const RETRY_AFTER_MS = 2_000;
const WRITE_TIMEOUT_MS = 5_000;

/** Of the 5 s that the process has for ending after its last answer. */
const FLUSH_MS = 2_000;

const WARN_EVERY_MS = 60_000;

interface Queued {
  readonly event: EventToWrite;
  readonly occurrence: Occurrence;
}

const objectOf = ({ kind, namespace, name }: Regarding): string | undefined =>
  (kind === 'Secret' || kind === 'ConfigMap') && parseRecordName(name) !== undefined
    ? undefined
    : JSON.stringify([kind, namespace, name]);

/** Not this Event's fault, and over in a while. */
const isPassing = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);

/** Nothing to tell anybody: the namespace is going or gone, and its Events with it. */
const isNamespaceEnding = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.status === 404 || (error.status === 403 && error.message.includes('being terminated')));

export const createEvents = (dependencies: EventsDependencies): Events => {
  const { api, log, nowMs, instance } = dependencies;
  const wait = dependencies.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined));
  const limiter = createEventLimiter();
  const writer = createEventWriter(api, nowMs, instance);
  const queue: Queued[] = [];
  const dropped = { queue: 0, limit: 0, failed: 0 };
  let [written, held] = [0, 0];
  let warnedMs = Number.NEGATIVE_INFINITY;
  let wake = (): void => {};

  const enqueue = ({ regarding: all, ...about }: EventToNote): void => {
    const message = toMessage(about.message);
    for (const regarding of all) {
      const { reason, release } = about;
      const occurrence = { reason, release, namespace: eventNamespace(regarding), object: objectOf(regarding) };
      if (queue.length >= MAX_QUEUED) {
        dropped.queue += 1;
        continue;
      }
      const admittance = limiter.admit(occurrence, nowMs());
      if (admittance.admitted)
        queue.push({ event: { ...about, message, regarding, times: admittance.times }, occurrence });
      else if (admittance.why === 'held') held += 1;
      else dropped.limit += 1;
    }
    wake();
  };

  const giveUp = ({ event }: Queued, error: unknown): void => {
    dropped.failed += 1;
    const { namespace, name } = event.release;
    const problem = escapeText((error as Error).message);
    const line = { reason: event.reason, namespace: escapeText(namespace), release: escapeText(name), problem };
    if (isNamespaceEnding(error) || Math.abs(nowMs() - warnedMs) < WARN_EVERY_MS) {
      log.debug(line, 'an Event could not be written');
    } else {
      warnedMs = nowMs();
      log.warn({ ...line, dropped }, 'an Event could not be written');
    }
  };

  const send = async (queued: Queued, signal: AbortSignal): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(WRITE_TIMEOUT_MS)]);
        if ((await writer.write(queued.event, limit)) === 'left alone') {
          limiter.hold(queued.occurrence, queued.event.times);
          held += queued.event.times;
        } else {
          written += 1;
        }
        return;
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !isPassing(error) || signal.aborted) return giveUp(queued, error);
        await wait(RETRY_AFTER_MS, signal);
      }
    }
  };

  return {
    note: (event) => {
      try {
        enqueue(event);
      } catch (error) {
        // Whatever it is, the review that it is about has been answered and must not hear of it.
        dropped.failed += 1;
        log.debug({ problem: escapeText(String(error)) }, 'an Event could not be noted');
      }
    },
    run: async (signal) => {
      const ended = new AbortController();
      let deadline: NodeJS.Timeout | undefined;
      const stop = (): void => {
        deadline = setTimeout(() => ended.abort(), FLUSH_MS);
        wake();
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      while (!ended.signal.aborted) {
        const next = queue.shift();
        if (next !== undefined) {
          await send(next, ended.signal);
          if (!signal.aborted) await wait(WRITE_EVERY_MS, signal);
        } else if (signal.aborted) {
          break;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
      clearTimeout(deadline);
      dropped.failed += queue.splice(0).length;
    },
    counts: () => ({ written, held, dropped: { ...dropped } }),
  };
};
