import type { RecordKind, ReleaseName } from '../../helm/names.ts';
import { isSamePayload, payloadOf, type ReleaseRecord, SYSTEM_LABELS, toRecord } from '../../helm/record.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Review } from '../wire/review.ts';

/** A review of a record, taken apart. */
export interface RecordReview {
  readonly kind: RecordKind;
  readonly release: ReleaseName;
  readonly before: ReleaseRecord | undefined;
  readonly after: ReleaseRecord | undefined;
  readonly contentChanged: boolean;
  /** Helm moves `modifiedAt` with every write; a person who annotates leaves it alone. */
  readonly writtenByHelm: boolean;
}

/** Takes a record's review apart; undefined when it is none of Helm's records after all. */
export const readRecordReview = (review: Review): RecordReview | undefined => {
  const kind: RecordKind = review.resource.resource === 'configmaps' ? 'ConfigMap' : 'Secret';
  const read = (object: KubernetesObject | undefined): ReleaseRecord | undefined =>
    toRecord(kind, object?.metadata && { ...object.metadata, namespace: review.namespace });
  // Helm does not see what lacks its label, and neither do the facts: to label it afterwards is to create a record.
  const before = review.oldObject?.metadata?.labels?.owner === 'helm' ? read(review.oldObject) : undefined;
  const after = read(review.object);
  const record = after ?? before;
  if (record === undefined) return undefined;
  const label = (object: KubernetesObject | undefined, name: string): string | undefined =>
    object?.metadata?.labels?.[name];
  const { object, oldObject } = review;
  const contentChanged =
    !isSamePayload(payloadOf(object), payloadOf(oldObject)) ||
    SYSTEM_LABELS.some((name) => label(object, name) !== label(oldObject, name));
  return {
    kind,
    release: { namespace: review.namespace, name: record.release },
    before,
    after,
    contentChanged,
    writtenByHelm: contentChanged || label(object, 'modifiedAt') !== label(oldObject, 'modifiedAt'),
  };
};
