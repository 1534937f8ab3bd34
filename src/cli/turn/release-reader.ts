import { listRecords, readLeaseVersion, recordPath } from '../../facts/release-reader.ts';
import type { Chart, RecordKind, ReleaseName } from '../../helm/names.ts';
import { decodePayload, summarize } from '../../helm/payload.ts';
import { locksIn, payloadOf, type ReleaseRecord } from '../../helm/record.ts';
import { type Api, ApiError, isNotFound, METADATA_ONLY, pathOf } from '../../kubernetes/api.ts';
import type { ObjectMeta } from '../../kubernetes/object.ts';
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

export const createReleaseReader = (api: Api, kind: RecordKind, hasBelay: boolean): ReleaseReader => {
  const claimOf = async (release: ReleaseName): Promise<ReleaseFacts['claim']> =>
    hasBelay ? (await readLeaseVersion(api, release))?.claim : undefined;
  return {
    facts: async ({ namespace, release: name }) => {
      const claim = await claimOf({ namespace, name });
      const { items } = await listRecords(api, kind, { namespace, names: [name] });
      return { claim, records: items };
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
      const payload = payloadOf(await api.request({ path: recordPath(record) }));
      if (payload === undefined) throw new Failure(`record ${record.name} holds no release`, EXIT.failed);
      const { chartName, chartVersion } = summarize(decodePayload(payload, kind));
      return { name: chartName, version: chartVersion };
    },
  };
};
