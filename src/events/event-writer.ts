import { type Api, isConflict, isNotFound, pathOf } from '../kubernetes/api.ts';
import { type EventToWrite, eventName, eventNamespace, toEvent, toLatest } from './event-object.ts';

/** `left alone`: another replica has written the same Event less than a minute ago. */
export type Written = 'created' | 'merged' | 'left alone';

export interface EventWriter {
  /** Rejects with ApiError when the API server does not take it. */
  write(event: EventToWrite, signal: AbortSignal): Promise<Written>;
}

/** The parts of a stored Event that matter here. */
interface StoredEvent {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly lastTimestamp?: string | null;
  readonly count?: number;
}

export const createEventWriter = (
  api: Api,
  nowMs: () => number,
  instance: string,
  /** At most one write for the same thing in this time. */
  seriesMs: number,
): EventWriter => {
  const merge = async (event: EventToWrite, path: string, signal: AbortSignal): Promise<Written> => {
    const stored = await api.request<StoredEvent>({ path, signal });
    const lastMs = Date.parse(stored.lastTimestamp ?? '') || 0;
    // In both directions of time: an Event from a replica whose clock is ahead must not be left alone until that time has come.
    if (Math.abs(nowMs() - lastMs) < seriesMs) return 'left alone';
    await api.request({
      method: 'PATCH',
      path,
      contentType: 'application/merge-patch+json',
      // With the resourceVersion, only one of two replicas that read the same count adds to it.
      body: {
        metadata: { resourceVersion: stored.metadata?.resourceVersion },
        ...toLatest(event, instance, nowMs(), stored.count ?? 0),
      },
      signal,
    });
    return 'merged';
  };

  return {
    write: async (event, signal) => {
      const collection = pathOf('api', 'v1', 'namespaces', eventNamespace(event.regarding), 'events');
      try {
        await api.request({ method: 'POST', path: collection, body: toEvent(event, instance, nowMs()), signal });
        return 'created';
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      try {
        return await merge(event, collection + pathOf(eventName(event)), signal);
      } catch (error) {
        // Another replica wrote in between, or the Event has just expired. The next occurrence counts this one.
        if (isConflict(error) || isNotFound(error)) return 'left alone';
        throw error;
      }
    },
  };
};
