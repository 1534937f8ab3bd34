import { ApiError, type WatchEvent, type WatchRequest } from '../../src/kubernetes/api.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { metadataOnly, wantsMetadata } from './metadata-only.ts';
import { placeOf } from './resources.ts';
import { matchesFields, matchesLabels } from './selector.ts';
import { gone, noSuchKind } from './status.ts';
import type { Change, Store } from './store.ts';

export interface Watches {
  open(request: WatchRequest): AsyncIterable<WatchEvent>;
  /** Ends them all. */
  cut(): void;
  /** Whether every watch that is open has told all that it has to tell, and whoever follows it waits for more. */
  areQuiet(): boolean;
}

interface Watch {
  readonly queue: WatchEvent[];
  waiting: boolean;
  ended: boolean;
  wake: () => void;
}

export const createWatches = (store: Store): Watches => {
  const open = new Set<Watch>();

  const eventOf = ({ path, query = {}, accept }: WatchRequest, change: Change): WatchEvent | undefined => {
    const place = placeOf(path);
    const isWatched = (object: KubernetesObject | undefined): object is KubernetesObject =>
      object !== undefined &&
      (place?.namespace === '' || object.metadata?.namespace === place?.namespace) &&
      matchesLabels(object, query.labelSelector as string | undefined) &&
      matchesFields(object, query.fieldSelector as string | undefined);
    if (change.resource !== place?.resource) return undefined;
    const [was, is] = [isWatched(change.before), isWatched(change.after)];
    // What has left the selection is told of as it was, under the version of the change.
    const gone = change.before && {
      ...change.before,
      metadata: { ...change.before.metadata, resourceVersion: String(change.version) },
    };
    const object = is ? change.after : was ? gone : undefined;
    if (object === undefined) return undefined;
    const told = wantsMetadata(`${accept};`, 'object') ? metadataOnly(object) : object;
    return { type: is ? (was ? 'MODIFIED' : 'ADDED') : 'DELETED', object: structuredClone(told) };
  };

  async function* follow(request: WatchRequest): AsyncGenerator<WatchEvent> {
    if (placeOf(request.path) === undefined) throw new ApiError(404, 'NotFound', noSuchKind().message);
    const from = Number(request.query?.resourceVersion ?? 0);
    const missed = store.since(from);
    request.onOpen?.();
    if (missed === undefined) {
      yield { type: 'ERROR', object: gone(from, store.version()).toBody() as Record<string, unknown> };
      return;
    }
    const watch: Watch = { queue: [], waiting: false, ended: false, wake: () => undefined };
    const add = (change: Change): void => {
      const event = eventOf(request, change);
      if (event === undefined) return;
      watch.queue.push(event);
      watch.wake();
    };
    for (const change of missed) add(change);
    const end = (): void => {
      watch.ended = true;
      watch.wake();
    };
    const stopListening = store.onChange(add);
    request.signal.addEventListener('abort', end, { once: true });
    open.add(watch);
    try {
      while (!watch.ended && !request.signal.aborted) {
        const next = watch.queue.shift();
        if (next !== undefined) yield next;
        else {
          watch.waiting = true;
          await new Promise<void>((resolve) => {
            watch.wake = resolve;
          });
          watch.waiting = false;
        }
      }
    } finally {
      open.delete(watch);
      stopListening();
      request.signal.removeEventListener('abort', end);
    }
  }

  return {
    open: follow,
    cut: () => {
      for (const watch of open) {
        watch.ended = true;
        watch.wake();
      }
    },
    areQuiet: () => [...open].every(({ waiting, queue }) => waiting && queue.length === 0),
  };
};
