import { LRUCache } from 'lru-cache';
import { ApiError } from '../kubernetes/api.ts';
import type { Kind } from '../kubernetes/kinds.ts';

/** Remembers what the API server has forbidden, so that a right that is missing is not asked for a thousand times. */
export interface MissingRights {
  isForbidden(verb: 'get' | 'patch', kind: Kind, namespace: string): boolean;
  /** Whether the error says that the right is missing. If so, this is remembered for a while. */
  noteError(error: unknown, verb: 'get' | 'patch', kind: Kind, namespace: string): boolean;
}

const MAX_REMEMBERED = 5_000;

/** RBAC's words (k8s.io/apiserver handlers/responsewriters/errors.go). A webhook that refuses uses other words. */
const isAboutRights = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 403 && /User "[^"]*" cannot \w+ resource/.test(error.message);

export const createMissingRights = (nowMs: () => number, forbiddenMs: number): MissingRights => {
  const forbiddenUntilMs = new LRUCache<string, number>({ max: MAX_REMEMBERED });
  const keyOf = (verb: string, { group, resource }: Kind, namespace: string): string =>
    `${verb} ${group}/${resource} ${namespace}`;
  return {
    isForbidden: (verb, kind, namespace) => nowMs() < (forbiddenUntilMs.get(keyOf(verb, kind, namespace)) ?? 0),
    noteError: (error, verb, kind, namespace) => {
      const isMissing = isAboutRights(error);
      if (isMissing) forbiddenUntilMs.set(keyOf(verb, kind, namespace), nowMs() + forbiddenMs);
      return isMissing;
    },
  };
};
