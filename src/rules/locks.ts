import type { ReleaseRecord } from '../helm/record.ts';
import type { ObjectMeta } from '../kubernetes/object.ts';
import { unionOfLocks } from '../policy/carried-locks.ts';
import { policyFreezes } from '../policy/freeze-windows.ts';
import type { Freeze, LockSource } from '../policy/lock.ts';
import {
  type Annotations,
  type MaintenanceWindow,
  NO_DOWNGRADE,
  PIN,
  readFreeze,
  readMaintenanceWindow,
} from '../policy/lock-annotations.ts';
import type { Policy } from '../policy/policy.ts';
import { refOf } from './in-flight.ts';
import type { VersionLocks } from './versions.ts';

/** What locks and policies read of a release's Namespace. */
export interface NamespaceFacts {
  readonly name: string;
  readonly annotations: Annotations;
  /** A policy selects namespaces by their labels. */
  readonly labels: Readonly<Record<string, string>>;
  readonly terminating: boolean;
}

/** An object that may carry locks. */
interface Place {
  readonly source: LockSource;
  readonly annotations: Annotations;
}

/**
 * Every object whose annotations may lock a release: each of its stored revisions, and its Namespace (docs/design.md#locks). There are two
 * Namespaces where the records and the objects live in different ones.
 */
const placesOf = (records: readonly ReleaseRecord[], namespaces: readonly NamespaceFacts[]): readonly Place[] => {
  let places: Place[] | undefined;
  for (const record of records) {
    if (record.locks === undefined) continue;
    places ??= [];
    places.push({ source: refOf(record), annotations: record.locks });
  }
  for (const { name, annotations } of namespaces) {
    if (isEmpty(annotations)) continue;
    places ??= [];
    places.push({ source: { kind: 'Namespace', namespace: '', name }, annotations });
  }
  return places ?? NO_PLACES;
};

/** Shared by nearly all reviews, because few releases have locks. */
const NO_PLACES: readonly Place[] = [];

const isEmpty = (annotations: Annotations): boolean => {
  for (const _ in annotations) return false;
  return true;
};

/** The locks that the next revision of a release carries. */
export const locksOf = (records: readonly ReleaseRecord[]): Annotations =>
  unionOfLocks(records.toSorted((a, b) => a.revision - b.revision).map(({ locks }) => locks));

/** Every freeze in force, by annotation and by policy. */
export const findFreezes = (
  records: readonly ReleaseRecord[],
  namespaces: readonly NamespaceFacts[],
  policy: Policy,
  nowMs: number,
): readonly Freeze[] => {
  const places = placesOf(records, namespaces);
  const stated = policyFreezes(policy, nowMs);
  if (places.length === 0 && stated.length === 0) return NOT_FROZEN;
  return [
    ...places.flatMap(({ annotations, source }) => readFreeze(annotations, source, nowMs) ?? []),
    ...stated.map(({ reason, untilMs }) => ({ source: sourceOf(policy), reason, by: undefined, untilMs })),
  ];
};

const NOT_FROZEN: readonly Freeze[] = [];

const sourceOf = ({ name }: Policy): LockSource => ({ kind: 'ReleasePolicy', namespace: '', name: name ?? '' });

/** The maintenance window in force, if there is one. */
export const findMaintenanceWindow = (
  records: readonly ReleaseRecord[],
  namespaces: readonly NamespaceFacts[],
  nowMs: number,
): MaintenanceWindow | undefined => {
  for (const { annotations, source } of placesOf(records, namespaces)) {
    const open = readMaintenanceWindow(annotations, source, nowMs);
    if (open !== undefined) return open;
  }
  return undefined;
};

/** Every lock on versions, by annotation and by policy. A pin that cannot be read allows no version (versions.ts). */
export const findVersionLocks = (
  records: readonly ReleaseRecord[],
  namespaces: readonly NamespaceFacts[],
  policy: Policy,
): VersionLocks => {
  const places = placesOf(records, namespaces);
  const { range, downgrade } = policy.versions;
  return {
    pins: [
      ...places.flatMap(({ annotations, source }) => {
        const pinned = annotations[PIN];
        return pinned === undefined ? [] : { source, range: pinned };
      }),
      ...(range === undefined ? [] : [{ source: sourceOf(policy), range }]),
    ],
    noDowngrades: [
      ...places.flatMap(({ annotations, source }) => (annotations[NO_DOWNGRADE] === undefined ? [] : source)),
      ...(downgrade === 'Deny' ? [sourceOf(policy)] : []),
    ],
  };
};

export const toNamespaceFacts = (metadata: ObjectMeta | undefined): NamespaceFacts => ({
  name: metadata?.name ?? '',
  annotations: metadata?.annotations ?? {},
  labels: metadata?.labels ?? {},
  terminating: metadata?.deletionTimestamp !== undefined,
});
