import { type Api, ApiError, type ApiRequest } from '../../kubernetes/api.ts';
import { escapeText, showName } from '../../text/escape.ts';

/** The answer to a request for information. A missing right is an answer too. */
export type Answer<T> =
  | { readonly state: 'read'; readonly value: T }
  | { readonly state: 'missing' }
  /** `why` is a whole sentence: `you may not get secrets in namespace shop`. */
  | { readonly state: 'unread'; readonly why: string };

/** The message of RBAC, as opposed to that of a webhook or a policy: k8s.io/apiserver handlers/responsewriters/errors.go. */
const FORBIDDEN = /User "[^"]*" cannot (\w+) resource "([^"]*)" in API group "[^"]*"(?: in the namespace "([^"]*)")?/;

/** Describes a missing right in plain words. Undefined: the error is about something else. */
export const describeForbidden = (error: unknown): string | undefined => {
  if (!(error instanceof ApiError) || error.status !== 403) return undefined;
  const [, verb, resource, namespace] = FORBIDDEN.exec(error.message) ?? [];
  if (verb === undefined || resource === undefined) return undefined;
  return `you may not ${showName(verb)} ${showName(resource)}${namespace === undefined ? '' : ` in namespace ${showName(namespace)}`}`;
};

export const describeError = (error: unknown): string =>
  describeForbidden(error) ?? escapeText(error instanceof Error ? error.message : String(error), 300);

/** Never rejects. */
export const ask = async <T>(api: Api, request: ApiRequest): Promise<Answer<T>> => {
  try {
    return { state: 'read', value: await api.request<T>(request) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { state: 'missing' };
    return { state: 'unread', why: describeError(error) };
  }
};

/** Concurrent requests. client-go's default is 10. */
const AT_ONCE = 10;

/** The API server asks two webhooks about a record, and waits up to 10 s for each. */
const TIMEOUT_MS = 25_000;

/** The same API with a limit on concurrent requests and a limit on the time of each. */
export const bounded = (api: Api): Api => {
  let free = AT_ONCE;
  const waiting: (() => void)[] = [];
  const enter = (): Promise<void> | undefined => {
    free -= 1;
    return free >= 0 ? undefined : new Promise((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    free += 1;
    waiting.shift()?.();
  };
  return {
    watch: (request) => api.watch(request),
    request: async (request) => {
      await enter();
      try {
        return await api.request({ signal: AbortSignal.timeout(TIMEOUT_MS), ...request });
      } finally {
        leave();
      }
    },
  };
};
