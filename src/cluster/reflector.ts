import type { Logger } from 'pino';
import type { ObjectMeta } from '../admission/review.ts';
import { type Api, ApiError, METADATA_LIST_ONLY, METADATA_ONLY } from './api.ts';

/** A collection to mirror. Only `metadata` is asked for unless told: payloads never enter the process. */
export interface ReflectedResource {
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Whole objects instead of metadata alone; for Leases and policies, which hold no payload. */
  readonly whole?: boolean;
  /** The API server may not know the kind, because its CRD is not installed: then there are none, and that counts as listed. */
  readonly optional?: boolean;
}

export interface ReflectedObject {
  readonly metadata?: ObjectMeta;
  readonly [field: string]: unknown;
}

/** Where the mirror is kept, as entries of the sink's own. */
export interface ReflectorSink<Entry> {
  /**
   * What is kept of an object; undefined for nothing. Of a list it is asked page by page, so that no more than a page of whole objects is in
   * memory at once: those of 100,000 records would take some hundred megabytes.
   */
  read(object: ReflectedObject): Entry | undefined;
  /** A complete list: whatever else there was is gone. */
  replace(entries: readonly Entry[]): void;
  upsert(entry: Entry): void;
  remove(entry: Entry): void;
}

export interface Reflector {
  /** True once the first list is complete. */
  isSynced(): boolean;
  /** When the watch last said anything, milliseconds since the epoch. */
  heardAtMs(): number;
  /** Ends when the signal fires. */
  run(signal: AbortSignal): Promise<void>;
}

/** Objects a page: client-go's own default. */
const PAGE_SIZE = 500;
const MIN_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 10_000;
/** How soon a kind that was missing is asked for again: whoever has just installed its CRD is waiting for it. */
const MISSING_PAUSE_MS = 1_000;
/** The API server ends a watch after this long, so that connections spread over its replicas again. */
const WATCH_SECONDS = 300;

interface List {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly ReflectedObject[];
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });

/** Keeps a mirror of a collection: list, then watch, again from the start when the watch is too old (client-go's Reflector). */
export const createReflector = <Entry>(
  api: Api,
  resource: ReflectedResource,
  sink: ReflectorSink<Entry>,
  log: Logger,
  nowMs: () => number,
): Reflector => {
  const whole = resource.whole === true;
  const query = { labelSelector: resource.labelSelector, fieldSelector: resource.fieldSelector };
  let synced = false;
  let heardAtMs = 0;
  /** Where the mirror stands; empty: list anew. */
  let version = '';
  let missing = false;

  const clear = (): void => {
    if (!missing) log.info({ path: resource.path }, 'not installed, so there are none');
    missing = true;
    synced = true;
    heardAtMs = nowMs();
    version = '';
    sink.replace([]);
  };

  const list = async (signal: AbortSignal): Promise<void> => {
    const entries: Entry[] = [];
    let next: string | undefined;
    let listed = '';
    do {
      const page: List = await api.request<List>({
        path: resource.path,
        query: { ...query, limit: PAGE_SIZE, continue: next },
        accept: whole ? 'application/json' : METADATA_LIST_ONLY,
        signal,
      });
      for (const item of page.items ?? []) {
        const entry = sink.read(item);
        if (entry !== undefined) entries.push(entry);
      }
      listed = page.metadata?.resourceVersion ?? '';
      next = page.metadata?.continue;
    } while (next !== undefined && next !== '');
    sink.replace(entries);
    missing = false;
    synced = true;
    heardAtMs = nowMs();
    version = listed;
  };

  const watch = async (signal: AbortSignal): Promise<void> => {
    const events = api.watch({
      path: resource.path,
      query: { ...query, resourceVersion: version, allowWatchBookmarks: 'true', timeoutSeconds: WATCH_SECONDS },
      accept: whole ? 'application/json' : METADATA_ONLY,
      signal,
    });
    for await (const event of events) {
      heardAtMs = nowMs();
      if (event.type === 'ERROR') {
        const status = event.object as { code?: number; reason?: string; message?: string };
        throw new ApiError(status.code ?? 0, status.reason ?? '', status.message ?? 'the watch broke off');
      }
      const object = event.object as ReflectedObject;
      if (event.type !== 'BOOKMARK') {
        const entry = sink.read(object);
        if (entry !== undefined && event.type === 'DELETED') sink.remove(entry);
        else if (entry !== undefined) sink.upsert(entry);
      }
      version = object.metadata?.resourceVersion ?? version;
    }
  };

  return {
    isSynced: () => synced,
    heardAtMs: () => heardAtMs,
    async run(signal) {
      let backoffMs = MIN_BACKOFF_MS;
      while (!signal.aborted) {
        try {
          if (version === '') await list(signal);
          await watch(signal);
          backoffMs = MIN_BACKOFF_MS;
        } catch (error) {
          if (signal.aborted) return;
          const status = error instanceof ApiError ? error.status : 0;
          if (status === 404 && resource.optional === true) {
            clear();
            await pause(MISSING_PAUSE_MS, signal);
            continue;
          }
          // 410 Gone: the version is older than what the API server keeps. Anything else resumes where it was.
          if (status === 410 || status === 400) version = '';
          log.warn({ path: resource.path, status, err: (error as Error).message }, 'watch interrupted');
          await pause(backoffMs * (0.5 + Math.random()), signal);
          backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
        }
      }
    },
  };
};
