import { parseRecordName } from '../helm/record.ts';
import { createEventLimiter, type Occurrence } from './event-limiter.ts';
import { type EventToNote, type EventToWrite, eventNamespace, type Regarding, toMessage } from './event-object.ts';

/** A minute's worth at ten a second: an Event that has waited for longer would tell of what is long past. About 2 MB at most. */
export const MAX_QUEUED = 600;

export interface QueuedEvent {
  readonly event: EventToWrite;
  readonly occurrence: Occurrence;
}

/** Events that wait to be written. There is a bound on how many wait, and limits for each release and namespace. */
export interface EventQueue {
  add(event: EventToNote): void;
  next(): QueuedEvent | undefined;
  /** The Event was not written, because another replica has just written the same. The next one of its series counts it. */
  holdBack(queued: QueuedEvent): void;
  /** Empties the queue. Returns how many Events were in it. */
  clear(): number;
  counts(): { readonly held: number; readonly dropped: Readonly<Record<'queue' | 'limit', number>> };
}

/** Undefined for a record: Events about any revision of a release count as one series. */
const objectOf = ({ kind, namespace, name }: Regarding): string | undefined =>
  (kind === 'Secret' || kind === 'ConfigMap') && parseRecordName(name) !== undefined
    ? undefined
    : JSON.stringify([kind, namespace, name]);

export const createEventQueue = (nowMs: () => number, seriesMs: number): EventQueue => {
  const limiter = createEventLimiter(seriesMs);
  const queue: QueuedEvent[] = [];
  const dropped = { queue: 0, limit: 0 };
  let held = 0;

  const addOne = (event: Omit<EventToWrite, 'times'>): void => {
    const { reason, release, regarding } = event;
    const occurrence = { reason, release, namespace: eventNamespace(regarding), object: objectOf(regarding) };
    if (queue.length >= MAX_QUEUED) {
      dropped.queue += 1;
      return;
    }
    const answer = limiter.admit(occurrence, nowMs());
    if (answer.admitted) queue.push({ event: { ...event, times: answer.times }, occurrence });
    else if (answer.why === 'held') held += 1;
    else dropped.limit += 1;
  };

  return {
    add: ({ regarding: all, ...about }) => {
      const message = toMessage(about.message);
      for (const regarding of all) addOne({ ...about, message, regarding });
    },
    next: () => queue.shift(),
    holdBack: ({ occurrence, event: { times } }) => {
      limiter.hold(occurrence, times);
      held += times;
    },
    clear: () => queue.splice(0).length,
    counts: () => ({ held, dropped }),
  };
};
