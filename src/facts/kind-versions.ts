import type { Kinds } from '../kubernetes/kinds.ts';
import type { GroupVersionKind } from '../kubernetes/object.ts';
import type { KindVersions as Facts } from '../rules/drift/kind-versions.ts';

/** Tells what the API server does with a kind that has several versions. */
export interface KindVersions {
  /** `others` are values of `apiVersion` beside that of the request. Rejects when the API server does not answer. */
  read(asked: GroupVersionKind, others: readonly string[], signal: AbortSignal): Promise<Facts>;
}

export interface KindVersionsDependencies {
  readonly kinds: Kinds;
}

const splitVersion = (apiVersion: string): { readonly group: string; readonly version: string } => {
  const slash = apiVersion.indexOf('/');
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
};

export const createKindVersions = ({ kinds }: KindVersionsDependencies): KindVersions => ({
  read: async ({ kind }, others, signal) => {
    const unserved = new Set<string>();
    for (const apiVersion of others) {
      const { group, version } = splitVersion(apiVersion);
      if ((await kinds.find(group, version, kind, signal)) === undefined) unserved.add(apiVersion);
    }
    return { unserved };
  },
});
