import type { RecordKind, ReleaseName } from '../../helm/names.ts';
import {
  isSamePayload,
  payloadOf,
  type RecordName,
  type ReleaseRecord,
  SYSTEM_LABELS,
  toRecord,
} from '../../helm/record.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Annotations } from '../../policy/lock-annotations.ts';
import type { Review } from '../wire/review.ts';

/** The parts of a review of a record. */
export interface RecordReview {
  readonly kind: RecordKind;
  readonly release: ReleaseName;
  readonly before: ReleaseRecord | undefined;
  readonly after: ReleaseRecord | undefined;
  /** Whether the payload or one of Helm's own labels differs. */
  readonly contentChanged: boolean;
  readonly locksChanged: boolean;
  /** Whether the stored record gets an owner that it did not have. */
  readonly gainsOwner: boolean;
  /** Helm moves `modifiedAt` with every write; a person who annotates leaves it alone. */
  readonly writtenByHelm: boolean;
}

const isSameLocks = (old: Annotations, current: Annotations): boolean => {
  const keys = new Set([...Object.keys(old), ...Object.keys(current)]);
  return [...keys].every((key) => old[key] === current[key]);
};

const gainsOwner = (before: KubernetesObject | undefined, after: KubernetesObject | undefined): boolean => {
  const keysOf = (object: KubernetesObject | undefined): readonly string[] => {
    const owners: unknown = object?.metadata?.ownerReferences;
    if (!Array.isArray(owners)) return [];
    return owners.map((owner: Readonly<Record<string, unknown>> | null) =>
      JSON.stringify([owner?.apiVersion, owner?.kind, owner?.name, owner?.uid]),
    );
  };
  const known = new Set(keysOf(before));
  return keysOf(after).some((key) => !known.has(key));
};

/** Reads the review of a record; undefined when the object is a record neither before nor after. `name` is the parsed `review.name`. */
export const readRecordReview = (review: Review, name: RecordName | undefined): RecordReview | undefined => {
  const kind: RecordKind = review.resource.resource === 'configmaps' ? 'ConfigMap' : 'Secret';
  const read = (object: KubernetesObject | undefined): ReleaseRecord | undefined =>
    toRecord(
      kind,
      object?.metadata && { ...object.metadata, namespace: review.namespace },
      // A request that comes straight to Belay's port may name the object in another way than the object does itself.
      object?.metadata?.name === review.name ? name : undefined,
    );
  // Neither Helm nor the facts see an object without Helm's label. So a write that adds the label creates a record.
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
    gainsOwner: before !== undefined && gainsOwner(oldObject, object),
    locksChanged: !isSameLocks(before?.locks ?? {}, after?.locks ?? {}),
    writtenByHelm: contentChanged || label(object, 'modifiedAt') !== label(oldObject, 'modifiedAt'),
  };
};
