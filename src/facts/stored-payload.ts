import { payloadOf, type ReleaseRecord } from '../helm/record.ts';
import { type Api, isNotFound, pathOf } from '../kubernetes/api.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/** A record's payload as it is stored now, and the uid of the object that holds it. */
export interface FetchedPayload {
  readonly uid: string | undefined;
  readonly payload: NonNullable<ReturnType<typeof payloadOf>>;
}

const collectionOf = ({ kind }: ReleaseRecord): string => (kind === 'Secret' ? 'secrets' : 'configmaps');

/** Undefined when the record is gone or holds nothing. Rejects with ApiError when it cannot be fetched. */
export const fetchPayload = async (
  api: Api,
  record: ReleaseRecord,
  signal: AbortSignal,
): Promise<FetchedPayload | undefined> => {
  let object: KubernetesObject;
  try {
    object = await api.request<KubernetesObject>({
      path: pathOf('api', 'v1', 'namespaces', record.namespace, collectionOf(record), record.name),
      signal,
    });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  const payload = payloadOf(object);
  return payload === undefined ? undefined : { uid: object.metadata?.uid, payload };
};
