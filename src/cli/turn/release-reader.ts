import { leaseName, readClaim } from '../../facts/claim-lease.ts';
import type { Chart, RecordKind } from '../../helm/names.ts';
import { decodePayload, summarize } from '../../helm/payload.ts';
import { locksIn, payloadOf, type ReleaseRecord, toRecord } from '../../helm/record.ts';
import { type Api, ApiError, isNotFound, METADATA_LIST_ONLY, METADATA_ONLY, pathOf } from '../../kubernetes/api.ts';
import type { ObjectMeta, ReflectedObject } from '../../kubernetes/object.ts';
import type { ReleaseFacts } from '../../rules/in-flight.ts';
import { EXIT, Failure } from '../failure.ts';
import type { LeaseTarget } from './lock-lease.ts';

/** Reads what the API server has of a release, as the user who runs Helm. */
export interface ReleaseReader {
  /** The claim is read before the records, so that no operation begins between them unseen. */
  facts(target: LeaseTarget): Promise<ReleaseFacts>;
  /** Belay's annotations on the Namespace; none where it may not be read. */
  namespaceLocks(namespace: string): Promise<Readonly<Record<string, string>>>;
  chartOf(record: ReleaseRecord): Promise<Chart>;
}

/** https://helm.sh/docs/topics/advanced/#storage-backends. Undefined: not in the cluster. */
export const recordKindOf = (driver: string | undefined): RecordKind | undefined => {
  switch (driver) {
    case undefined:
    case '':
    case 'secret':
    case 'secrets':
      return 'Secret';
    case 'configmap':
    case 'configmaps':
      return 'ConfigMap';
    default:
      return undefined;
  }
};

/**
 * Whether Belay is in the cluster, told by what every user may see: its API. Undefined: this user may not even see that.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles
 */
export const findBelay = async (api: Api): Promise<boolean | undefined> => {
  try {
    await api.request({ path: pathOf('apis', 'belay.dev', 'v1alpha1') });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return undefined;
    throw error;
  }
};

const RESOURCE: Readonly<Record<RecordKind, string>> = { Secret: 'secrets', ConfigMap: 'configmaps' };

export const createReleaseReader = (api: Api, kind: RecordKind, hasBelay: boolean): ReleaseReader => {
  const claimOf = async ({ namespace, release }: LeaseTarget): Promise<ReleaseFacts['claim']> => {
    if (!hasBelay) return undefined;
    const path = pathOf('apis', 'coordination.k8s.io', 'v1', 'namespaces', namespace, 'leases', leaseName(release));
    try {
      return readClaim(await api.request<ReflectedObject>({ path }))?.claim;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  return {
    facts: async (target) => {
      const claim = await claimOf(target);
      const list = await api.request<{ items?: readonly { metadata?: ObjectMeta }[] }>({
        path: pathOf('api', 'v1', 'namespaces', target.namespace, RESOURCE[kind]),
        query: { labelSelector: `owner=helm,name=${target.release}` },
        accept: METADATA_LIST_ONLY,
      });
      const records = (list.items ?? []).flatMap((item) => toRecord(kind, item.metadata) ?? []);
      return { claim, records: records.filter(({ release }) => release === target.release) };
    },
    namespaceLocks: async (namespace) => {
      try {
        const { metadata } = await api.request<{ metadata?: ObjectMeta }>({
          path: pathOf('api', 'v1', 'namespaces', namespace),
          accept: METADATA_ONLY,
        });
        return locksIn(metadata?.annotations);
      } catch (error) {
        if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return {};
        throw error;
      }
    },
    chartOf: async (record) => {
      const path = pathOf('api', 'v1', 'namespaces', record.namespace, RESOURCE[kind], record.name);
      const payload = payloadOf(await api.request({ path }));
      if (payload === undefined) throw new Failure(`record ${record.name} holds no release`, EXIT.failed);
      const { chartName, chartVersion } = summarize(decodePayload(payload, kind));
      return { name: chartName, version: chartVersion };
    },
  };
};
