import {
  listClaims,
  listNamespaces,
  readNamespace as readAllowedNamespace,
  readRecords,
} from '../../facts/release-reader.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import { type Api, ApiError } from '../../kubernetes/api.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Claim } from '../../rules/in-flight.ts';
import type { NamespaceFacts } from '../../rules/locks.ts';
import { recordsOfStorage } from '../../rules/storage-kind.ts';
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

/** Undefined when RBAC refuses. The rest is still worth showing. */
export const unlessForbidden = async <T>(promise: Promise<T>): Promise<T | undefined> => {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
};

/** Lists the metadata of records, without their payloads. */
export const listRecords = (api: Api, { namespace, names }: Scope): Promise<readonly ReleaseRecord[]> =>
  readRecords(api, { namespace, names: names.length === 0 ? undefined : names });

const readClaims = async (api: Api, { namespace }: Scope): Promise<ReadonlyMap<string, Claim>> => {
  const { items } = await listClaims(api, namespace);
  return new Map(items.map(({ release, claim }) => [`${release.namespace}/${release.name}`, claim]));
};

/** Undefined: the namespace does not exist or may not be read. */
export const readNamespace = (api: Api, name: string): Promise<NamespaceFacts | undefined> =>
  unlessForbidden(readAllowedNamespace(api, name));

const readNamespaces = async (
  api: Api,
  { namespace }: Scope,
): Promise<ReadonlyMap<string, NamespaceFacts | undefined>> => {
  if (namespace !== undefined) return new Map([[namespace, await readNamespace(api, namespace)]]);
  const listed = await unlessForbidden(listNamespaces(api));
  return new Map((listed?.items ?? []).map((one) => [one.name, one]));
};

/** Without the records of a kind in which their release is not stored. */
const ofTheirStorage = (
  records: readonly ReleaseRecord[],
  claims: ReadonlyMap<string, Claim> | undefined,
): readonly ReleaseRecord[] =>
  [...Map.groupBy(records, ({ namespace, release }) => `${namespace}/${release}`)].flatMap(([key, own]) =>
    recordsOfStorage(own, claims?.get(key)),
  );

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
      unlessForbidden(readClaims(api, scope)),
      readNamespaces(api, scope),
      unlessForbidden(readPolicies(api)),
    ]);
    timer = setTimeout(() => giveUp.abort(), MAX_DRIFT_DELAY_MS);
    return {
      records: ofTheirStorage(records, claims),
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
