import type { Regarding } from '../events/event-object.ts';
import type { RecordKind, RecordRef } from '../helm/names.ts';
import { type ReleaseRecord, recordName } from '../helm/record.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { newestOf } from '../rules/in-flight.ts';
import type { Denial } from '../rules/verdict.ts';
import type { ReviewKind } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

/** The parts of a review and its answer that tell which objects an Event is about. */
export interface Incident {
  readonly review: Review;
  readonly kind: ReviewKind;
  /** Why the write was refused, or would have been refused if the policy enforced the rule. */
  readonly denial: Denial | undefined;
  readonly allowed: boolean;
  /** The records of the release, from memory. */
  readonly records: readonly ReleaseRecord[];
}

/** The release's record, and the object that was written if it is not that record. */
export const regardingOf = (incident: Incident): readonly Regarding[] =>
  [findRecord(incident), findObject(incident)].filter((found) => found !== undefined);

/** The stored record that the denial names, else the newest stored record. Where no record is stored, the record that was written. */
const findRecord = (incident: Incident): Regarding | undefined => {
  const { review, kind, denial, allowed, records } = incident;
  const own = kind === 'record' ? fromReview(incident) : undefined;
  const named = denial === undefined ? undefined : recordNamedBy(denial);
  if (named !== undefined) {
    const stored = records.find((record) => record.kind === named.kind && record.name === named.name);
    if (stored !== undefined) return fromRecord(stored);
    if (own?.uid !== undefined && own.name === named.name) return own;
  }
  if (own !== undefined && allowed && review.operation === 'CREATE') return own;
  const newest = kind === 'record' ? newestOf(records, recordKind(review)) : newestOfAll(records);
  return newest === undefined ? (own ?? (named && fromRef(named))) : fromRecord(newest);
};

const recordNamedBy = (denial: Denial): RecordRef | undefined => {
  switch (denial.code) {
    case 'BelayOperationInFlight':
    case 'BelayClaimGuarded':
      return denial.inFlight?.record;
    case 'BelayDrift': {
      const { release, recordKind: kind, governing } = denial;
      return { kind, namespace: release.namespace, name: recordName(release.name, governing.revision) };
    }
    case 'BelayRecordProtected':
      return denial.record;
    case 'BelayBadLock':
    case 'BelayLockForbidden': {
      const { kind, namespace, name } = denial.source;
      return kind === 'Secret' || kind === 'ConfigMap' ? { kind, namespace, name } : undefined;
    }
    default:
      return undefined;
  }
};

const findObject = (incident: Incident): Regarding | undefined => {
  const { review, kind } = incident;
  if (kind === 'record' || review.name === '') return undefined;
  if (kind !== 'scale') return fromReview(incident);
  // A Scale is a view of an object, and has that object's uid. People run `kubectl describe` on the object.
  const { denial } = incident;
  const scaled = denial !== undefined && 'object' in denial ? denial.object?.kind : SCALED[review.resource.resource];
  const { group, version } = review.resource;
  return scaled === undefined
    ? undefined
    : { ...fromReview(incident), apiVersion: toApiVersion(group, version), kind: scaled };
};

/** Kubernetes' own resources with a scale (the same as in Belay's ClusterRole). */
const SCALED: Readonly<Record<string, string>> = {
  deployments: 'Deployment',
  replicasets: 'ReplicaSet',
  statefulsets: 'StatefulSet',
  replicationcontrollers: 'ReplicationController',
};

const fromReview = ({ review, allowed }: Incident): Regarding => {
  const { kind, resource, name, oldObject, object } = review;
  // An object whose creation was refused has a uid already, but is never stored.
  const stored: KubernetesObject | undefined = oldObject ?? (allowed ? object : undefined);
  const uid = stored?.metadata?.uid;
  return {
    apiVersion: toApiVersion(kind.group, kind.version),
    kind: kind.kind,
    // For a Namespace the API server fills in its own name.
    namespace: resource.group === '' && resource.resource === 'namespaces' ? '' : review.namespace,
    name,
    ...(uid === undefined ? {} : { uid }),
  };
};

const fromRef = ({ kind, namespace, name }: RecordRef): Regarding => ({ apiVersion: 'v1', kind, namespace, name });

const fromRecord = (record: ReleaseRecord): Regarding => ({
  ...fromRef(record),
  ...(record.uid === '' ? {} : { uid: record.uid }),
});

const recordKind = ({ resource }: Review): RecordKind => (resource.resource === 'configmaps' ? 'ConfigMap' : 'Secret');

const newestOfAll = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined =>
  newestOf(records, 'Secret') ?? newestOf(records, 'ConfigMap');

const toApiVersion = (group: string, version: string): string => (group === '' ? version : `${group}/${version}`);
