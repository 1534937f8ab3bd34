import { CLAIM_SELECTOR, readClaim } from '../../facts/claim-lease.ts';
import type { ReleaseName } from '../../helm/names.ts';
import { type ReleaseRecord, toRecord } from '../../helm/record.ts';
import { type Api, ApiError, METADATA_LIST_ONLY, pathOf } from '../../kubernetes/api.ts';
import { listPages, PAGE_SIZE } from '../../kubernetes/list-all.ts';
import type { ReflectedObject } from '../../kubernetes/object.ts';
import type { Claim } from '../../rules/in-flight.ts';
import { type NamespaceFacts, toNamespaceFacts } from '../../rules/locks.ts';
import { readPolicies } from '../releases/policies.ts';
import { type ReleaseView, viewReleases } from '../releases/release-view.ts';
import type { CheckContext } from './check-context.ts';

/** The metadata of these 10,000 records is some 10 MB. */
const MAX_PAGES = 20;

/** Objects of one kind that are looked at. */
export const MAX_LISTED = PAGE_SIZE * MAX_PAGES;

interface Listed {
  readonly objects: readonly ReflectedObject[];
  /** There are more objects than were read. */
  readonly isCut: boolean;
}

const listSome = async (
  api: Api,
  path: string,
  labelSelector: string | undefined,
  accept?: string,
): Promise<Listed> => {
  const objects: ReflectedObject[] = [];
  let pages = 0;
  for await (const page of listPages(api, { path, labelSelector, accept })) {
    objects.push(...page.items);
    pages += 1;
    if (pages === MAX_PAGES && page.hasMore) return { objects, isCut: true };
  }
  return { objects, isCut: false };
};

export interface Inventory {
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly records: readonly ReleaseRecord[];
  readonly claims: ReadonlyMap<string, { readonly release: ReleaseName; readonly claim: Claim }> | undefined;
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

const pathIn = (namespace: string | undefined, resource: string, ...group: readonly string[]): string =>
  pathOf(
    ...(group.length === 0 ? ['api', 'v1'] : ['apis', ...group]),
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    resource,
  );

const listNamespaces = async (api: Api, namespace: string | undefined): Promise<Listed> =>
  namespace === undefined
    ? listSome(api, '/api/v1/namespaces', undefined, METADATA_LIST_ONLY)
    : {
        objects: [await api.request<ReflectedObject>({ path: pathOf('api', 'v1', 'namespaces', namespace) })],
        isCut: false,
      };

/** Rejects when the records may not be listed. */
export const takeInventory = async (
  { api, nowMs }: CheckContext,
  namespace: string | undefined,
): Promise<Inventory> => {
  const records = (resource: string): Promise<Listed> =>
    listSome(api, pathIn(namespace, resource), 'owner=helm', METADATA_LIST_ONLY);
  const [secrets, configMaps, leases, listed, policies] = await Promise.all([
    records('secrets'),
    orNothing(records('configmaps')),
    orNothing(listSome(api, pathIn(namespace, 'leases', 'coordination.k8s.io', 'v1'), CLAIM_SELECTOR)),
    orNothing(listNamespaces(api, namespace)),
    orNothing(readPolicies(api)),
  ]);
  const found = [
    ...secrets.objects.flatMap(({ metadata }) => toRecord('Secret', metadata) ?? []),
    ...(configMaps?.objects ?? []).flatMap(({ metadata }) => toRecord('ConfigMap', metadata) ?? []),
  ];
  const claims =
    leases === undefined
      ? undefined
      : new Map(
          leases.objects
            .flatMap((lease) => readClaim(lease) ?? [])
            .map((one) => [`${one.release.namespace}/${one.release.name}`, one]),
        );
  const namespaces = (listed?.objects ?? []).map(({ metadata }) => toNamespaceFacts(metadata));
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
    isCut: secrets.isCut || configMaps?.isCut === true || leases?.isCut === true || listed?.isCut === true,
  };
};
