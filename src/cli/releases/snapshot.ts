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

/** Which releases are looked at. */
export interface Scope {
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  /** Empty: all releases. */
  readonly names: readonly string[];
}

/** The cluster as far as releases go, at one moment. What whoever looks may not read is undefined, and shown as unknown. */
export interface Snapshot {
  readonly records: readonly ReleaseRecord[];
  /** By `namespace/release`. */
  readonly claims: ReadonlyMap<string, Claim> | undefined;
  /** Undefined for one that may not be read. */
  readonly namespace: (name: string) => NamespaceFacts | undefined;
  readonly policies: readonly Policy[] | undefined;
  /** Records, by uid, of which the sweep says that what they govern has drifted. */
  readonly drifted: ReadonlySet<string> | undefined;
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** Undefined where RBAC says no: of what may not be seen, the rest is still worth showing. */
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

/** Metadata of the records alone: payloads stay where they are. */
export const listRecords = async (api: Api, scope: Scope): Promise<readonly ReleaseRecord[]> => {
  const names = scope.names.filter((name) => LABEL_VALUE.test(name));
  // A name that no label could have is that of no release.
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

/** Undefined for one that is not there or may not be read. */
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
 * Where there are many Events, the API server takes long to find those of drift: it goes through all of a namespace. By so much they may
 * hold up what all else is known of; a status is worth more at once without them than late with them.
 */
const MAX_DRIFT_DELAY_MS = 1_000;

/** Reads everything at once, and of drift only what is asked for. Rejects when the records themselves may not be read. */
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
