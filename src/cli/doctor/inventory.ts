import {
  listClaims,
  listNamespaces,
  listRecords,
  type ReleaseClaim,
  readNamespace,
} from '../../facts/release-reader.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import { type Api, ApiError } from '../../kubernetes/api.ts';
import type { Listed } from '../../kubernetes/list-all.ts';
import type { NamespaceFacts } from '../../rules/locks.ts';
import { readPolicies } from '../releases/policies.ts';
import { type ReleaseView, viewReleases } from '../releases/release-view.ts';
import type { CheckContext } from './check-context.ts';

/** Objects of one kind that are looked at. What is kept of so many records is some 10 MB. */
export const MAX_LISTED = 10_000;

export interface Inventory {
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly records: readonly ReleaseRecord[];
  readonly claims: ReadonlyMap<string, ReleaseClaim> | undefined;
  readonly namespaces: readonly NamespaceFacts[];
  readonly views: readonly ReleaseView[];
  readonly isCut: boolean;
}

/** Undefined when the user may not read it, or it does not exist. The checks then use the rest. */
export const orNothing = async <T>(promise: Promise<T>): Promise<T | undefined> => {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return undefined;
    throw error;
  }
};

const readNamespaces = async (api: Api, namespace: string | undefined): Promise<Listed<NamespaceFacts>> => {
  if (namespace === undefined) return listNamespaces(api, { maxItems: MAX_LISTED });
  const found = await readNamespace(api, namespace);
  return { items: found === undefined ? [] : [found], isCut: false };
};

/** Rejects when the records may not be listed. */
export const takeInventory = async (
  { api, nowMs }: CheckContext,
  namespace: string | undefined,
): Promise<Inventory> => {
  const pages = { maxItems: MAX_LISTED };
  const [secrets, configMaps, listedClaims, listed, policies] = await Promise.all([
    listRecords(api, 'Secret', { namespace }, pages),
    orNothing(listRecords(api, 'ConfigMap', { namespace }, pages)),
    orNothing(listClaims(api, namespace, pages)),
    orNothing(readNamespaces(api, namespace)),
    orNothing(readPolicies(api)),
  ]);
  const found = [...secrets.items, ...(configMaps?.items ?? [])];
  const claims =
    listedClaims && new Map(listedClaims.items.map((one) => [`${one.release.namespace}/${one.release.name}`, one]));
  const namespaces = listed?.items ?? [];
  const byName = new Map(namespaces.map((one) => [one.name, one]));
  const snapshot = {
    records: found,
    claims: claims && new Map([...claims].map(([key, { claim }]) => [key, claim])),
    namespace: (name: string) => byName.get(name),
    policies: policies?.flatMap(({ accepted }) => accepted?.policy ?? []),
    drifted: undefined,
  };
  return {
    namespace,
    records: found,
    claims,
    namespaces,
    views: viewReleases(snapshot, new Map(), nowMs),
    isCut: secrets.isCut || configMaps?.isCut === true || listedClaims?.isCut === true || listed?.isCut === true,
  };
};
