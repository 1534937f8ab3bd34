import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, fetch } from 'undici';
import { watchShape } from './object-shape.ts';
import { createPruner, type Shape } from './prune-json.ts';
import { AnswerTooLarge, type Body, type ListReading, NO_BODY, readList } from './read-list.ts';

/** A thin client for the Kubernetes API: paths in, JSON out. It has one connection pool, and no generated models on the hot path. */
export interface Api {
  /** Resolves to the parsed body. Rejects with ApiError on a status of 400 or more, and on a broken connection (status 0). */
  request<T>(request: ApiRequest): Promise<T>;
  /** Yields one event at a time, and ends when the server closes the watch. Rejects like `request`. */
  watch(request: WatchRequest): AsyncIterable<WatchEvent>;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** An absolute path. Every segment that comes from a caller is escaped (see `pathOf`). */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Defaults to `application/json`; METADATA_ONLY asks for PartialObjectMetadata. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Whether the request may be made twice, because it changes nothing. A GET may. */
  readonly repeatable?: boolean;
  /** Reads the answer as a list, whose items are read one by one as they arrive. By default an answer is read as a whole. */
  readonly list?: ListReading;
  /** Called for each warning that the API server and its webhooks send with the answer. */
  readonly onWarning?: (text: string) => void;
}

export interface WatchRequest {
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly accept?: string;
  readonly signal: AbortSignal;
  /** What is kept of each object. All of it by default. */
  readonly shape?: Shape;
  /** Called when the API server has accepted the watch. */
  readonly onOpen?: () => void;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: Record<string, unknown>;
}

/**
 * Asks the API server for `metadata` alone, of one object or in a watch. The payload of a Secret then never enters this
 * process. https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables-and-metadata
 */
export const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/** The same for a list. The API server accepts each of the two only where it fits. */
export const METADATA_LIST_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

export class ApiError extends Error {
  /** HTTP status; 0 when no answer arrived. */
  readonly status: number;
  /** `metav1.Status.reason`, such as NotFound, AlreadyExists, Conflict. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
  }
}

export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/** 409: somebody else has written the object first (reason Conflict) or created it first (reason AlreadyExists). */
export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.status === 409;

/** Builds a path from segments. Each segment is escaped, so that a name cannot reach beyond it. */
export const pathOf = (...segments: readonly string[]): string => `/${segments.map(encodeURIComponent).join('/')}`;

/**
 * When a connection breaks (one of several API servers restarts, a load balancer moves on), every request on it fails. A request that changes
 * nothing can be made again on another connection. client-go does so too (rest/with_retry.go).
 */
const REPEAT_AFTER_MS = [20, 200] as const;
/** A request that failed after a longer time did not break: the API server did not answer, and the caller has no time left. */
const BROKEN_WITHIN_MS = 1_000;

export interface Connection {
  readonly server: string;
  /** Called before each request, because the tokens of a ServiceAccount are rotated on disk. */
  readonly headers: () => Promise<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

const toUrl = (server: string, path: string, query: ApiRequest['query']): URL => {
  const url = new URL(server.replace(/\/$/, '') + path);
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(key, String(value));
  }
  return url;
};

const toError = async (status: number, body: Promise<string>): Promise<ApiError> => {
  const text = await body.catch(() => '');
  try {
    const parsed = JSON.parse(text) as { reason?: string; message?: string };
    return new ApiError(status, parsed.reason ?? '', parsed.message ?? `HTTP ${status}`);
  } catch {
    return new ApiError(status, '', `HTTP ${status}`);
  }
};

/** `299 - "text"`, once or several times; https://www.rfc-editor.org/rfc/rfc7234#section-5.5 */
const warningsIn = (header: string | null): readonly string[] =>
  [...(header ?? '').matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1'));

/** Is told of each request whether an answer came. An error is an answer too. */
export interface Exchanges {
  /** `date`: the header of the answer. `sentAtMs`: `performance.now()` before the request. */
  answered(date: string | null, sentAtMs: number): void;
  /** `afterMs`: how long the request took until it broke off, or until its caller gave it up. */
  unanswered(afterMs: number): void;
}

/** `onWarning` is called for each warning that the API server and its webhooks send with an answer. */
export const createApi = (
  connection: Connection,
  onWarning: (text: string) => void = () => undefined,
  exchanges?: Exchanges,
): Api => {
  const send = async (request: ApiRequest) => {
    const headers: Record<string, string> = {
      ...(await connection.headers()),
      accept: request.accept ?? 'application/json',
      'user-agent': 'belay',
    };
    if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
    const sentAtMs = performance.now();
    let response: Awaited<ReturnType<typeof fetch>>;
    try {
      response = await fetch(toUrl(connection.server, request.path, request.query), {
        method: request.method ?? 'GET',
        headers,
        dispatcher: connection.dispatcher,
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
    } catch (error) {
      exchanges?.unanswered(performance.now() - sentAtMs);
      throw new ApiError(0, 'Unreachable', `the API server did not answer: ${(error as Error).message}`, error);
    }
    exchanges?.answered(response.headers.get('date'), sentAtMs);
    for (const text of warningsIn(response.headers.get('warning'))) {
      onWarning(text);
      request.onWarning?.(text);
    }
    if (response.status >= 400) throw await toError(response.status, response.text());
    return response;
  };

  const requestOnce = async <T>(request: ApiRequest): Promise<T> => {
    const response = await send(request);
    try {
      if (request.list === undefined) return (await response.json()) as T;
      return (await readList(response.body ?? NO_BODY, request.list)) as T;
    } catch (error) {
      if (error instanceof AnswerTooLarge) throw error;
      throw new ApiError(0, 'Unreachable', `the API server's answer broke off: ${(error as Error).message}`, error);
    }
  };

  return {
    request: <T>(request: ApiRequest) => repeatWhenBroken(request, () => requestOnce<T>(request)),
    async *watch(request: WatchRequest) {
      const response = await send({ ...request, query: { ...request.query, watch: 'true' } });
      request.onOpen?.();
      if (response.body !== null) yield* readEvents(response.body, request.shape ?? 'all');
    },
  };
};

/** Makes a request again on another connection when its connection broke, if the request changes nothing. */
const repeatWhenBroken = async <T>(request: ApiRequest, attempt: () => Promise<T>): Promise<T> => {
  const { method = 'GET', repeatable = method === 'GET', signal } = request;
  for (const pauseMs of repeatable ? REPEAT_AFTER_MS : []) {
    const sentAtMs = performance.now();
    try {
      return await attempt();
    } catch (error) {
      const isBroken = error instanceof ApiError && error.status === 0 && signal?.aborted !== true;
      if (!isBroken || performance.now() - sentAtMs > BROKEN_WITHIN_MS) throw error;
      await sleep(pauseMs);
    }
  }
  return attempt();
};

async function* readEvents(body: Body, shape: Shape): AsyncGenerator<WatchEvent> {
  let events: WatchEvent[] = [];
  const pruner = createPruner(watchShape(shape), (text) => events.push(JSON.parse(text)));
  for await (const chunk of body) {
    pruner.push(chunk);
    const complete = events;
    events = [];
    yield* complete;
  }
}
