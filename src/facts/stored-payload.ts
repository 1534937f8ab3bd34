import { payloadOf, type ReleaseRecord } from '../helm/record.ts';
import { type Api, isNotFound } from '../kubernetes/api.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { recordPath } from './release-reader.ts';

/** A record's payload as it is stored now, and the uid of the object that holds it. */
export interface FetchedPayload {
  readonly uid: string | undefined;
  readonly payload: NonNullable<ReturnType<typeof payloadOf>>;
}

/** Undefined when the record is gone or holds nothing. Rejects with ApiError when it cannot be fetched. */
export const fetchPayload = async (
  api: Api,
  record: ReleaseRecord,
  signal: AbortSignal,
): Promise<FetchedPayload | undefined> => {
  let object: KubernetesObject;
  try {
    object = await api.request<KubernetesObject>({
      path: recordPath(record),
      signal,
    });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  const payload = payloadOf(object);
  return payload === undefined ? undefined : { uid: object.metadata?.uid, payload };
};
