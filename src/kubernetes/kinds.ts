import type { DiscoveryIntervals } from '../intervals/intervals.ts';
import { type Api, isNotFound, pathOf } from './api.ts';

/** Where objects of a kind are kept. */
export interface Kind {
  readonly group: string;
  /** The plural: `deployments`. */
  readonly resource: string;
  readonly namespaced: boolean;
  /** `namespace` is ignored for a kind without namespaces. */
  path(namespace: string, name: string): string;
}

/** The kinds that the API server serves. It is asked once for each group and version, and the answer is remembered for a while. */
export interface Kinds {
  /** Undefined when the API server does not serve the kind. Rejects with ApiError when it cannot be asked. */
  find(group: string, version: string, kind: string, signal: AbortSignal): Promise<Kind | undefined>;
}

interface Discovered {
  readonly atMs: number;
  readonly kinds: Promise<ReadonlyMap<string, Kind>>;
}

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

const toKind = (root: string, group: string, resource: string, namespaced: boolean): Kind => ({
  group,
  resource,
  namespaced,
  path: (namespace, name) =>
    root + (namespaced ? pathOf('namespaces', namespace, resource, name) : pathOf(resource, name)),
});

export const createKinds = (
  api: Api,
  nowMs: () => number,
  { rememberMs, retryUnknownMs }: DiscoveryIntervals,
): Kinds => {
  const discovered = new Map<string, Discovered>();

  const discover = async (group: string, version: string, signal: AbortSignal): Promise<ReadonlyMap<string, Kind>> => {
    const root = group === '' ? pathOf('api', version) : pathOf('apis', group, version);
    try {
      const { resources = [] } = await api.request<ResourceList>({ path: root, signal });
      // `deployments/status` is of kind Deployment as well.
      const main = resources.filter(({ name }) => !name.includes('/'));
      return new Map(main.map(({ kind, name, namespaced }) => [kind, toKind(root, group, name, namespaced)]));
    } catch (error) {
      if (isNotFound(error)) return new Map();
      throw error;
    }
  };

  const look = (group: string, version: string, maxAgeMs: number, signal: AbortSignal): Discovered => {
    const key = `${group}/${version}`;
    const known = discovered.get(key);
    if (known !== undefined && nowMs() - known.atMs < maxAgeMs) return known;
    const fresh = { atMs: nowMs(), kinds: discover(group, version, signal) };
    discovered.set(key, fresh);
    fresh.kinds.catch(() => {
      if (discovered.get(key) === fresh) discovered.delete(key);
    });
    return fresh;
  };

  return {
    find: async (group, version, kind, signal) => {
      const known = await look(group, version, rememberMs, signal).kinds;
      return known.get(kind) ?? (await look(group, version, retryUnknownMs, signal).kinds).get(kind);
    },
  };
};
