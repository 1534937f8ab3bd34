import type { ReleaseName } from '../helm/names.ts';
import { toRecord } from '../helm/record.ts';
import { type Api, isNotFound, METADATA_LIST_ONLY, METADATA_ONLY, pathOf } from '../kubernetes/api.ts';
import { readLease } from '../kubernetes/lease.ts';
import type { ObjectMeta, ReflectedObject } from '../kubernetes/object.ts';
import type { Claim, ReleaseFacts } from '../rules/in-flight.ts';
import type { NamespaceFacts } from '../rules/locks.ts';
import { toNamespaceFacts } from '../rules/locks.ts';
import { leaseName, readClaim } from './claim-lease.ts';

/** The facts as the API server has them now. Rejects with ApiError when they cannot be had: the caller must not guess. */
export interface LiveFacts {
  /**
   * Strongly consistent. The Lease is read *before* the records: a starter that claims after this read makes the caller's
   * own claim fail on its resourceVersion, and one that claimed before it is seen here.
   */
  release(
    release: ReleaseName,
    signal: AbortSignal,
  ): Promise<ReleaseFacts & { readonly lease: LeaseVersion | undefined }>;
  /** Undefined when there is no such namespace. */
  namespace(name: string, signal: AbortSignal): Promise<NamespaceFacts | undefined>;
  /** All records of a namespace, as one list of facts a release. */
  releasesIn(namespace: string, signal: AbortSignal): Promise<ReleaseFacts['records']>;
  /** All records of releases of that name, in whichever namespace. */
  recordsNamed(name: string, signal: AbortSignal): Promise<ReleaseFacts['records']>;
}

export interface LeaseVersion {
  readonly resourceVersion: string;
  readonly transitions: number;
  /** Undefined where the Lease is no claim of Belay's (somebody made one by that name): it is overwritten. */
  readonly claim: Claim | undefined;
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

interface MetadataList {
  readonly items?: readonly { readonly metadata?: ObjectMeta }[];
}

export const createLiveFacts = (api: Api): LiveFacts => {
  // No resourceVersion in the query: the API server answers with the newest state, never from a stale cache.
  const list = async (
    namespace: string | undefined,
    labelSelector: string,
    signal: AbortSignal,
  ): Promise<ReleaseFacts['records']> => {
    const root = namespace === undefined ? ['api', 'v1'] : ['api', 'v1', 'namespaces', namespace];
    const [secrets, configMaps] = await Promise.all([
      api.request<MetadataList>({
        path: pathOf(...root, 'secrets'),
        query: { labelSelector },
        accept: METADATA_LIST_ONLY,
        signal,
      }),
      api.request<MetadataList>({
        path: pathOf(...root, 'configmaps'),
        query: { labelSelector },
        accept: METADATA_LIST_ONLY,
        signal,
      }),
    ]);
    return [
      ...(secrets.items ?? []).flatMap((item) => toRecord('Secret', item.metadata) ?? []),
      ...(configMaps.items ?? []).flatMap((item) => toRecord('ConfigMap', item.metadata) ?? []),
    ];
  };

  const named = async (
    namespace: string | undefined,
    name: string,
    signal: AbortSignal,
  ): Promise<ReleaseFacts['records']> => {
    // A name that Kubernetes could not have accepted as a label's value is that of no release, and would be a selector of its own.
    if (!LABEL_VALUE.test(name)) return [];
    // A selector on the name label alone would miss a record whose labels somebody managed to strip; Helm misses it too.
    const records = await list(namespace, `owner=helm,name=${name}`, signal);
    return records.filter((record) => record.release === name);
  };

  const lease = async (release: ReleaseName, signal: AbortSignal): Promise<LeaseVersion | undefined> => {
    const found = await readLease(api, { namespace: release.namespace, name: leaseName(release.name) }, signal);
    return (
      found && {
        resourceVersion: found.metadata?.resourceVersion ?? '',
        transitions: found.spec?.leaseTransitions ?? 0,
        claim: readClaim(found)?.claim,
      }
    );
  };

  return {
    release: async (release, signal) => {
      const found = await lease(release, signal);
      const records = await named(release.namespace, release.name, signal);
      return {
        records,
        claim: found?.claim,
        lease: found,
      };
    },
    namespace: async (name, signal) => {
      try {
        const found = await api.request<ReflectedObject>({
          path: pathOf('api', 'v1', 'namespaces', name),
          accept: METADATA_ONLY,
          signal,
        });
        return toNamespaceFacts(found.metadata);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    releasesIn: (namespace, signal) => list(namespace, 'owner=helm', signal),
    recordsNamed: (name, signal) => named(undefined, name, signal),
  };
};
