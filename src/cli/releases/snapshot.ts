import { CLAIM_SELECTOR, readClaim } from '../../facts/claim-lease.ts';
import { type ReleaseRecord, toRecord } from '../../helm/record.ts';
import { type Api, ApiError, METADATA_LIST_ONLY, METADATA_ONLY, pathOf } from '../../kubernetes/api.ts';
import { listAll } from '../../kubernetes/list-all.ts';
import type { ObjectMeta } from '../../kubernetes/object.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Claim } from '../../rules/in-flight.ts';
import type { NamespaceFacts } from '../../rules/locks.ts';
import { toNamespaceFacts } from '../../rules/locks.ts';
import { findDriftedRecords } from './drifted-records.ts';
import { readPolicies } from './policies.ts';

/** The releases to read. */
export interface Scope {
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  /** Empty: all releases. */
  readonly names: readonly string[];
}

/** The releases of a cluster at one moment. Undefined: the user may not read it, and it is shown as unknown. */
export interface Snapshot {
  readonly records: readonly ReleaseRecord[];
  /** By `namespace/release`. */
  readonly claims: ReadonlyMap<string, Claim> | undefined;
  /** Undefined: the namespace may not be read. */
  readonly namespace: (name: string) => NamespaceFacts | undefined;
  readonly policies: readonly Policy[] | undefined;
  /** The uids of records whose objects have drifted, by the Events of the sweep. */
  readonly drifted: ReadonlySet<string> | undefined;
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** Undefined when RBAC refuses. The rest is still worth showing. */
export const unlessForbidden = async <T>(promise: Promise<T>): Promise<T | undefined> => {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
};

const inScope = ({ namespace }: Scope, resource: string, ...group: readonly string[]): string => {
  const root = group.length === 0 ? ['api', 'v1'] : ['apis', ...group];
  return pathOf(...root, ...(namespace === undefined ? [] : ['namespaces', namespace]), resource);
};

/** Lists the metadata of records, without their payloads. */
export const listRecords = async (api: Api, scope: Scope): Promise<readonly ReleaseRecord[]> => {
  const names = scope.names.filter((name) => LABEL_VALUE.test(name));
  // A name that no label can have is the name of no release.
  if (scope.names.length > 0 && names.length === 0) return [];
  const selector = names.length === 0 ? 'owner=helm' : `owner=helm,name in (${names.join(',')})`;
  const list = (kind: ReleaseRecord['kind'], resource: string): Promise<readonly ReleaseRecord[]> =>
    listAll(api, inScope(scope, resource), selector, METADATA_LIST_ONLY).then((objects) =>
      objects.flatMap(({ metadata }) => toRecord(kind, metadata) ?? []),
    );
  const [secrets, configMaps] = await Promise.all([list('Secret', 'secrets'), list('ConfigMap', 'configmaps')]);
  return [...secrets, ...configMaps];
};

const listClaims = async (api: Api, scope: Scope): Promise<ReadonlyMap<string, Claim>> => {
  const leases = await listAll(api, inScope(scope, 'leases', 'coordination.k8s.io', 'v1'), CLAIM_SELECTOR);
  return new Map(
    leases
      .flatMap((lease) => readClaim(lease) ?? [])
      .map(({ release, claim }) => [`${release.namespace}/${release.name}`, claim]),
  );
};

/** Undefined: the namespace does not exist or may not be read. */
export const readNamespace = async (api: Api, name: string): Promise<NamespaceFacts | undefined> => {
  try {
    const { metadata } = await api.request<{ metadata?: ObjectMeta }>({
      path: pathOf('api', 'v1', 'namespaces', name),
      accept: METADATA_ONLY,
    });
    return toNamespaceFacts(metadata);
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return undefined;
    throw error;
  }
};

const readNamespaces = async (
  api: Api,
  { namespace }: Scope,
): Promise<ReadonlyMap<string, NamespaceFacts | undefined>> => {
  if (namespace !== undefined) return new Map([[namespace, await readNamespace(api, namespace)]]);
  const listed = await unlessForbidden(listAll(api, '/api/v1/namespaces', undefined, METADATA_LIST_ONLY));
  return new Map((listed ?? []).map(({ metadata }) => [metadata?.name ?? '', toNamespaceFacts(metadata)]));
};

/**
 * Longest extra wait for the Events of drift. The API server searches all Events of a namespace for them, which takes long when there are many.
 * A status at once without them is worth more than a late status with them.
 */
const MAX_DRIFT_DELAY_MS = 1_000;

/** Reads everything concurrently, and drift only on demand. Rejects when the records may not be read. */
export const readSnapshot = async (
  api: Api,
  scope: Scope,
  { withDrift = false }: { readonly withDrift?: boolean } = {},
): Promise<Snapshot> => {
  const giveUp = new AbortController();
  const drifted = withDrift ? findDriftedRecords(api, scope.namespace, giveUp.signal) : undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const [records, claims, namespaces, policies] = await Promise.all([
      listRecords(api, scope),
      unlessForbidden(listClaims(api, scope)),
      readNamespaces(api, scope),
      unlessForbidden(readPolicies(api)),
    ]);
    timer = setTimeout(() => giveUp.abort(), MAX_DRIFT_DELAY_MS);
    return {
      records,
      claims,
      namespace: (name) => namespaces.get(name),
      policies: policies?.flatMap(({ accepted }) => accepted?.policy ?? []),
      drifted: await drifted,
    };
  } finally {
    clearTimeout(timer);
    giveUp.abort();
  }
};
