import type { Logger } from 'pino';
import { type Api, ApiError, isNotFound, METADATA_LIST_ONLY, METADATA_ONLY } from './api.ts';
import { listPages } from './list-all.ts';
import type { MirrorAge } from './mirror-age.ts';
import type { ReflectedObject } from './object.ts';
import type { Shape } from './prune-json.ts';

/** A collection to mirror. Without `whole`, only `metadata` is asked for, and payloads never enter the process. */
export interface ReflectedResource {
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Whole objects instead of metadata alone; for Leases and policies, which hold no payload. */
  readonly whole?: boolean;
  /** What is kept of each object until the sink has read it. All of it by default. */
  readonly shape?: Shape;
  /** The CRD of the kind may not be installed. Then there are no objects, and the mirror counts as listed. */
  readonly optional?: boolean;
}

/** Where the mirror is kept. An entry is what the sink keeps of an object. */
export interface ReflectorSink<Entry> {
  /**
   * Undefined for an object of which nothing is kept. A list is read page by page, so that no more than a page of whole objects is in memory
   * at once: 100,000 whole records would take some hundred megabytes.
   */
  read(object: ReflectedObject): Entry | undefined;
  /** A complete list: entries that are not in it are gone. */
  replace(entries: readonly Entry[]): void;
  upsert(entry: Entry): void;
  remove(entry: Entry): void;
}

/** The API server ends a watch after this long, so that connections spread over its replicas again. */
const WATCH_SECONDS = 300;

/** A copy of a collection, and the version up to which it goes. */
export interface Mirror {
  /** True once the first list is complete. */
  isSynced(): boolean;
  /** Whether there is no version from which a watch could go on. */
  needsList(): boolean;
  forgetVersion(): void;
  /** Whether an error says that the kind is not installed, where that is fine. */
  isMissing(error: unknown): boolean;
  /** The kind is not installed: there are no objects. */
  clear(): void;
  list(signal: AbortSignal): Promise<void>;
  /** Takes over what a watch says, until the watch ends. `onEvent` is called for each event. */
  follow(signal: AbortSignal, onEvent: () => void): Promise<void>;
}

interface WatchError {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
}

const errorOf = (object: WatchError): ApiError =>
  new ApiError(object.code ?? 0, object.reason ?? '', object.message ?? 'the watch broke off');

const readList = async <Entry>(
  api: Api,
  { path, labelSelector, fieldSelector, shape, whole = false }: ReflectedResource,
  sink: ReflectorSink<Entry>,
  signal: AbortSignal,
): Promise<{ readonly entries: readonly Entry[]; readonly version: string }> => {
  const entries: Entry[] = [];
  const accept = whole ? 'application/json' : METADATA_LIST_ONLY;
  let version = '';
  for await (const page of listPages(api, { path, labelSelector, fieldSelector, shape, accept, signal })) {
    for (const item of page.items) {
      const entry = sink.read(item);
      if (entry !== undefined) entries.push(entry);
    }
    version = page.resourceVersion;
  }
  return { entries, version };
};

/** The function is long, because the list and the watch share its state. */
export const createMirror = <Entry>(
  api: Api,
  resource: ReflectedResource,
  sink: ReflectorSink<Entry>,
  age: MirrorAge,
  log: Logger,
): Mirror => {
  const { path, labelSelector, fieldSelector, shape, whole = false, optional = false } = resource;
  let isSynced = false;
  let version = '';
  let wasMissing = false;

  const replace = (entries: readonly Entry[], listedVersion: string): void => {
    sink.replace(entries);
    isSynced = true;
    age.noteHeard();
    version = listedVersion;
  };

  return {
    isSynced: () => isSynced,
    needsList: () => version === '',
    forgetVersion: () => {
      version = '';
    },
    isMissing: (error) => optional && isNotFound(error),
    clear: () => {
      if (!wasMissing) log.info({ path }, 'not installed, so there are none');
      wasMissing = true;
      replace([], '');
    },
    list: async (signal) => {
      const { entries, version: listedVersion } = await readList(api, resource, sink, signal);
      wasMissing = false;
      replace(entries, listedVersion);
    },
    follow: async (signal, onEvent) => {
      const query = { labelSelector, fieldSelector, resourceVersion: version };
      const events = api.watch({
        path,
        query: { ...query, allowWatchBookmarks: 'true', timeoutSeconds: WATCH_SECONDS },
        accept: whole ? 'application/json' : METADATA_ONLY,
        ...(shape !== undefined && { shape }),
        signal,
        // From here on nothing is missing: the API server first sends what has happened since the version.
        onOpen: age.noteHeard,
      });
      for await (const { type, object } of events) {
        if (type === 'ERROR') throw errorOf(object);
        age.noteHeard();
        onEvent();
        const reflected = object as ReflectedObject;
        const entry = type === 'BOOKMARK' ? undefined : sink.read(reflected);
        if (entry !== undefined && type === 'DELETED') sink.remove(entry);
        else if (entry !== undefined) sink.upsert(entry);
        version = reflected.metadata?.resourceVersion ?? version;
      }
    },
  };
};
