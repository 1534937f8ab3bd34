import type { RecordKind, ReleaseName } from '../helm/names.ts';
import { type ReleaseRecord, toRecord } from '../helm/record.ts';
import { type Api, isNotFound, METADATA_LIST_ONLY, METADATA_ONLY, pathOf } from '../kubernetes/api.ts';
import { leasesPath, readLease } from '../kubernetes/lease.ts';
import { type Listed, listSome } from '../kubernetes/list-all.ts';
import type { ReflectedObject } from '../kubernetes/object.ts';
import type { Claim } from '../rules/in-flight.ts';
import { type NamespaceFacts, toNamespaceFacts } from '../rules/locks.ts';
import { CLAIM_SELECTOR, leaseName, readClaim } from './claim-lease.ts';
import { CLAIM_FIELDS, NAMESPACE_FIELDS, RECORD_FIELDS } from './read-fields.ts';

/** The one reader of releases. The webhook, the sweep, the command line and doctor all read records, claims and Namespaces with it. */

/** Which records are read. */
export interface RecordScope {
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  /** Names of releases. Undefined: all releases. */
  readonly names?: readonly string[] | undefined;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Objects that are read at most, rounded up to whole pages. All by default. */
  readonly maxItems?: number;
  /** Rejects with AnswerTooLarge when the objects have more bytes of metadata. No bound by default. */
  readonly maxBytes?: number | undefined;
  /** Whether all of it is read in one answer, without pages. */
  readonly isWhole?: boolean;
}

/** A claim, with the release whose claim it is. */
export interface ReleaseClaim {
  readonly release: ReleaseName;
  readonly claim: Claim;
}

/** The parts of a release's Lease that are needed to write a claim over it. */
export interface LeaseVersion {
  readonly resourceVersion: string;
  readonly transitions: number;
  /** Undefined where the Lease is no claim of Belay's, because somebody made a Lease of that name. Such a Lease is overwritten. */
  readonly claim: Claim | undefined;
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

const RESOURCES: Readonly<Record<RecordKind, string>> = { Secret: 'secrets', ConfigMap: 'configmaps' };

/** The path of the collection that holds the records of one kind. */
export const recordsPath = (kind: RecordKind, namespace: string | undefined): string =>
  pathOf('api', 'v1', ...(namespace === undefined ? [] : ['namespaces', namespace]), RESOURCES[kind]);

export const recordPath = ({ kind, namespace, name }: Pick<ReleaseRecord, 'kind' | 'namespace' | 'name'>): string =>
  recordsPath(kind, namespace) + pathOf(name);

/** Selects by the labels `owner` and `name`: Helm does not see a record without `owner` either. */
const selectorOf = (names: readonly string[]): string => {
  const [name, ...others] = names;
  if (name === undefined) return 'owner=helm';
  return others.length === 0 ? `owner=helm,name=${name}` : `owner=helm,name in (${names.join(',')})`;
};

/**
 * The metadata of the records of one kind, without their payloads. Strongly consistent, because the query has no resourceVersion: the
 * API server answers with the newest state, never from a stale cache.
 */
export const listRecords = async (
  api: Api,
  kind: RecordKind,
  { namespace, names }: RecordScope,
  { signal, maxItems = Number.POSITIVE_INFINITY, maxBytes, isWhole = false }: ReadOptions = {},
): Promise<Listed<ReleaseRecord>> => {
  // A name that Kubernetes would not accept as a label's value is the name of no release, and could change the selector.
  const labels = names?.filter((name) => LABEL_VALUE.test(name)) ?? [];
  if (names !== undefined && labels.length === 0) return { items: [], isCut: false };
  const labelSelector = selectorOf(labels);
  const path = recordsPath(kind, namespace);
  const request = { path, labelSelector, accept: METADATA_LIST_ONLY, shape: RECORD_FIELDS, signal, maxBytes, isWhole };
  const { items, isCut } = await listSome(api, request, maxItems);
  const records = items.flatMap(({ metadata }) => toRecord(kind, metadata) ?? []);
  return { items: names === undefined ? records : records.filter(({ release }) => names.includes(release)), isCut };
};

/** The records of both kinds. */
export const readRecords = async (
  api: Api,
  scope: RecordScope,
  options: Pick<ReadOptions, 'signal' | 'maxBytes' | 'isWhole'> = {},
): Promise<readonly ReleaseRecord[]> => {
  const [secrets, configMaps] = await Promise.all([
    listRecords(api, 'Secret', scope, options),
    listRecords(api, 'ConfigMap', scope, options),
  ]);
  return [...secrets.items, ...configMaps.items];
};

/** Undefined when the release has no Lease. */
export const readLeaseVersion = async (
  api: Api,
  { namespace, name }: ReleaseName,
  signal?: AbortSignal,
): Promise<LeaseVersion | undefined> => {
  const lease = await readLease(api, { namespace, name: leaseName(name) }, signal);
  if (lease === undefined) return undefined;
  return {
    resourceVersion: lease.metadata?.resourceVersion ?? '',
    transitions: lease.spec?.leaseTransitions ?? 0,
    claim: readClaim(lease)?.claim,
  };
};

/** The claims of one namespace, or of all namespaces. */
export const listClaims = async (
  api: Api,
  namespace: string | undefined,
  { signal, maxItems = Number.POSITIVE_INFINITY }: ReadOptions = {},
): Promise<Listed<ReleaseClaim>> => {
  const request = { path: leasesPath(namespace), labelSelector: CLAIM_SELECTOR, shape: CLAIM_FIELDS, signal };
  const { items, isCut } = await listSome(api, request, maxItems);
  return { items: items.flatMap((lease) => readClaim(lease) ?? []), isCut };
};

/** Undefined when there is no such Namespace. */
export const readNamespace = async (
  api: Api,
  name: string,
  signal?: AbortSignal,
): Promise<NamespaceFacts | undefined> => {
  try {
    const found = await api.request<ReflectedObject>({
      path: pathOf('api', 'v1', 'namespaces', name),
      accept: METADATA_ONLY,
      ...(signal && { signal }),
    });
    return toNamespaceFacts(found.metadata);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

export const listNamespaces = async (
  api: Api,
  { signal, maxItems = Number.POSITIVE_INFINITY }: ReadOptions = {},
): Promise<Listed<NamespaceFacts>> => {
  const request = {
    path: pathOf('api', 'v1', 'namespaces'),
    accept: METADATA_LIST_ONLY,
    shape: NAMESPACE_FIELDS,
    signal,
  };
  const { items, isCut } = await listSome(api, request, maxItems);
  return { items: items.map(({ metadata }) => toNamespaceFacts(metadata)), isCut };
};
