import type { Logger } from 'pino';
import { type Api, ApiError, isNotFound, METADATA_LIST_ONLY, METADATA_ONLY } from './api.ts';
import type { ReflectedObject } from './object.ts';

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
  /** Milliseconds since the watch last said anything; a watch on which nothing happens says so about every minute, by a bookmark. */
  silenceMs(): number;
  /** How long the mirror may have lacked something: 0 while its watch is open and lives. */
  staleMs(): number;
  /** Lists anew where the mirror is stale. Rejects when the API server does not answer. */
  refresh(): Promise<void>;
  /** Ends when the signal fires. */
  run(signal: AbortSignal): Promise<void>;
}

/** Objects a page: client-go's own default. */
const PAGE_SIZE = 500;
const MIN_BACKOFF_MS = 200;
/** client-go goes up to 30 s, for there are thousands of it in a cluster. Of these there are five to a replica, and a guard is awaited. */
const MAX_BACKOFF_MS = 2_000;
/** How soon a kind that was missing is asked for again: whoever has just installed its CRD is waiting for it. */
const MISSING_PAUSE_MS = 1_000;
/** The API server ends a watch after this long, so that connections spread over its replicas again. */
const WATCH_SECONDS = 300;
/**
 * A watch that says nothing for so long is dead, though its connection may not have noticed: the API server sends a bookmark every minute
 * (bookmarkFrequency in apiserver/pkg/storage/cacher). The first was seen to take 121 s; half a minute more is room for a slow one.
 */
const QUIET_MS = 150_000;
/**
 * A mirror that may have missed something for longer than this is not judged by. A watch that breaks off is open again within
 * MAX_BACKOFF_MS and half of it where the API server answers, so that only a fault lasts longer.
 */
export const STALE_AFTER_MS = 5_000;
/** Several reviews may wait for it, and none of them longer than this. */
const REFRESH_TIMEOUT_MS = 10_000;

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

export interface ReflectorOptions {
  /** A clock that nobody can set: a step of the wall clock must not make a mirror look old, or new. */
  readonly monotonicMs?: () => number;
  readonly quietMs?: number;
}

/** Keeps a mirror of a collection: list, then watch, again from the start when the watch is too old (client-go's Reflector). */
export const createReflector = <Entry>(
  api: Api,
  resource: ReflectedResource,
  sink: ReflectorSink<Entry>,
  log: Logger,
  { monotonicMs = () => performance.now(), quietMs = QUIET_MS }: ReflectorOptions = {},
): Reflector => {
  const whole = resource.whole === true;
  const query = { labelSelector: resource.labelSelector, fieldSelector: resource.fieldSelector };
  let synced = false;
  let heardAtMs = monotonicMs();
  /** Since when the mirror may lack something; undefined while the watch is open. */
  let staleSinceMs: number | undefined = heardAtMs;
  let refreshing: Promise<void> | undefined;
  /** Where the mirror stands; empty: list anew. */
  let version = '';
  let missing = false;

  const isMissing = (error: unknown): boolean => resource.optional === true && isNotFound(error);

  const clear = (): void => {
    if (!missing) log.info({ path: resource.path }, 'not installed, so there are none');
    missing = true;
    synced = true;
    heard();
    version = '';
    sink.replace([]);
  };

  const heard = (): void => {
    heardAtMs = monotonicMs();
    staleSinceMs = undefined;
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
    heard();
    version = listed;
  };

  const watch = async (signal: AbortSignal): Promise<void> => {
    const quiet = new AbortController();
    const timer = setTimeout(() => quiet.abort(new Error('the watch said nothing')), quietMs);
    try {
      await follow(AbortSignal.any([signal, quiet.signal]), () => timer.refresh());
    } finally {
      clearTimeout(timer);
      staleSinceMs ??= quiet.signal.aborted ? heardAtMs : monotonicMs();
    }
  };

  const follow = async (signal: AbortSignal, onHeard: () => void): Promise<void> => {
    const events = api.watch({
      path: resource.path,
      query: { ...query, resourceVersion: version, allowWatchBookmarks: 'true', timeoutSeconds: WATCH_SECONDS },
      accept: whole ? 'application/json' : METADATA_ONLY,
      signal,
      // Nothing is missing from here on: what has happened since the version comes first.
      onOpen: heard,
    });
    for await (const event of events) {
      if (event.type === 'ERROR') {
        const status = event.object as { code?: number; reason?: string; message?: string };
        throw new ApiError(status.code ?? 0, status.reason ?? '', status.message ?? 'the watch broke off');
      }
      heard();
      onHeard();
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
    silenceMs: () => monotonicMs() - heardAtMs,
    staleMs: () => {
      const nowMs = monotonicMs();
      if (staleSinceMs !== undefined) return nowMs - staleSinceMs;
      // A process that was stopped, or is busy, has not come to hear anything either.
      return nowMs - heardAtMs > quietMs ? nowMs - heardAtMs : 0;
    },
    refresh: () => {
      refreshing ??= list(AbortSignal.timeout(REFRESH_TIMEOUT_MS))
        .catch((error: unknown) => {
          if (!isMissing(error)) throw error;
          clear();
        })
        .finally(() => {
          refreshing = undefined;
        });
      return refreshing;
    },
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
          if (isMissing(error)) {
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
