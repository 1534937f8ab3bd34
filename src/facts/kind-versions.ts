import { LRUCache } from 'lru-cache';
import { type Api, ApiError, pathOf } from '../kubernetes/api.ts';
import type { Kinds } from '../kubernetes/kinds.ts';
import type { GroupVersionKind } from '../kubernetes/object.ts';
import { isBuiltInGroup } from '../rules/drift/built-in-groups.ts';
import type { KindVersions as Facts, SchemaNode } from '../rules/drift/kind-versions.ts';
import { type CustomResourceDefinition, fieldsOfVersions } from './kept-fields.ts';

/** Tells what the API server does with a kind that has several versions. */
export interface KindVersions {
  /**
   * `others` are values of `apiVersion` beside that of the request, and `resource` is the plural. Rejects when the API server does not
   * answer. What Belay may not read is not known.
   */
  read(asked: GroupVersionKind, resource: string, others: readonly string[], signal: AbortSignal): Promise<Facts>;
}

export interface KindVersionsDependencies {
  readonly api: Api;
  readonly kinds: Kinds;
  readonly nowMs: () => number;
  /** How long a definition is remembered. */
  readonly rememberMs: number;
}

/** Definitions that are remembered: of each, the names of its fields alone, some 100 KB of the largest. */
const MAX_REMEMBERED = 32;

const splitVersion = (apiVersion: string): { readonly group: string; readonly version: string } => {
  const slash = apiVersion.indexOf('/');
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
};

export const createKindVersions = ({ api, kinds, nowMs, rememberMs }: KindVersionsDependencies): KindVersions => {
  type Remembered = { readonly atMs: number; readonly fields: Facts['fields'] };
  const remembered = new LRUCache<string, Remembered>({ max: MAX_REMEMBERED });

  const readFields = async (
    name: string,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, SchemaNode> | undefined> => {
    const path = pathOf('apis', 'apiextensions.k8s.io', 'v1', 'customresourcedefinitions', name);
    try {
      return fieldsOfVersions(await api.request<CustomResourceDefinition>({ path, signal }));
    } catch (error) {
      // 404: an aggregated API server serves the kind, and converts it by its own code.
      const isHidden = error instanceof ApiError && (error.status === 403 || error.status === 404);
      if (!isHidden) throw error;
      return undefined;
    }
  };

  const fieldsOf = async (group: string, resource: string, signal: AbortSignal): Promise<Facts['fields']> => {
    if (isBuiltInGroup(group)) return undefined;
    const name = `${resource}.${group}`;
    const known = remembered.get(name);
    if (known !== undefined && nowMs() - known.atMs < rememberMs) return known.fields;
    const fields = await readFields(name, signal);
    remembered.set(name, { atMs: nowMs(), fields });
    return fields;
  };

  return {
    read: async ({ group: askedGroup, kind }, resource, others, signal) => {
      const unserved = new Set<string>();
      for (const apiVersion of others) {
        const { group, version } = splitVersion(apiVersion);
        if ((await kinds.find(group, version, kind, signal)) === undefined) unserved.add(apiVersion);
      }
      return { unserved, fields: await fieldsOf(askedGroup, resource, signal) };
    },
  };
};
