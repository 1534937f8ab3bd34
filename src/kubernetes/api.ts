import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, fetch } from 'undici';

/** A thin client for the Kubernetes API: paths in, JSON out. One connection pool, no generated models on the hot path. */
export interface Api {
  /** Resolves to the parsed body. Rejects with ApiError on any status of 400 or more, and on a broken connection (status 0). */
  request<T>(request: ApiRequest): Promise<T>;
  /** A watch: yields one parsed line at a time and ends when the server closes it. Rejects like `request`. */
  watch(request: WatchRequest): AsyncIterable<WatchEvent>;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path, each caller-controlled segment passed through encodeURIComponent (see `pathOf`). */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Defaults to `application/json`; METADATA_ONLY asks for PartialObjectMetadata. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** It changes nothing, however often it is made; a GET never does. */
  readonly repeatable?: boolean;
}

export interface WatchRequest {
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly accept?: string;
  readonly signal: AbortSignal;
  /** Called when the API server has taken the watch on. */
  readonly onOpen?: () => void;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: Record<string, unknown>;
}

/**
 * Asks the API server for `metadata` alone, of one object or in a watch: the payload of a Secret then never enters this
 * process. https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables-and-metadata
 */
export const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/** The same for a list; the API server takes either only where it fits. */
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

/** 409: somebody else wrote first (reason Conflict) or created it first (reason AlreadyExists). */
export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.status === 409;

/** Builds a path from segments, each escaped, so that a name can never leave its segment. */
export const pathOf = (...segments: readonly string[]): string => `/${segments.map(encodeURIComponent).join('/')}`;

/**
 * A connection that breaks (one API server of several that restarts, a load balancer that moves on) takes every request on it along; made again
 * on another one, those that change nothing are none the worse. client-go does so too (rest/with_retry.go).
 */
const REPEAT_AFTER_MS = [20, 200] as const;
/** What took longer has not broken: it was not answered, and whoever waits has no more time. */
const BROKEN_WITHIN_MS = 1_000;

export interface Connection {
  readonly server: string;
  /** Called before each request: tokens of a ServiceAccount are rotated on disk. */
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

/** `299 - "text"`, as often as there is something to say; https://www.rfc-editor.org/rfc/rfc7234#section-5.5 */
const warningsIn = (header: string | null): readonly string[] =>
  [...(header ?? '').matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1'));

/** Is told of every request whether an answer came, be it an error. */
export interface Exchanges {
  /** `date` is the answer's header, `sentAtMs` is `performance.now()` from before the request. */
  answered(date: string | null, sentAtMs: number): void;
  /** After how many milliseconds it broke off, or nobody waited any longer. */
  unanswered(afterMs: number): void;
}

/** `onWarning` is told what the API server and its webhooks have to say about a request that passed. */
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
    for (const text of warningsIn(response.headers.get('warning'))) onWarning(text);
    if (response.status >= 400) throw await toError(response.status, response.text());
    return response;
  };

  const requestOnce = async <T>(request: ApiRequest): Promise<T> => {
    const response = await send(request);
    try {
      return (await response.json()) as T;
    } catch (error) {
      throw new ApiError(0, 'Unreachable', `the API server's answer broke off: ${(error as Error).message}`, error);
    }
  };

  return {
    request: <T>(request: ApiRequest) => repeatWhenBroken(request, () => requestOnce<T>(request)),
    async *watch(request: WatchRequest) {
      const response = await send({ ...request, query: { ...request.query, watch: 'true' } });
      request.onOpen?.();
      if (response.body === null) return;
      for await (const line of linesOf(response.body)) yield JSON.parse(line) as WatchEvent;
    },
  };
};

/** Makes a request again on another connection, where it changes nothing and its connection broke. */
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

/** The lines of a body, without empty ones. */
async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pending = '';
  for await (const chunk of body) {
    pending += decoder.decode(chunk, { stream: true });
    let end = pending.indexOf('\n');
    while (end >= 0) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      if (line !== '') yield line;
      end = pending.indexOf('\n');
    }
  }
}
