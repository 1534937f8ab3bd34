import type { ReleaseRecord } from '../helm/record.ts';
import { type Annotations, NO_DOWNGRADE, type Open, PIN, readFreeze, readOpen } from '../policy/lock-annotations.ts';
import { refOf } from './in-flight.ts';
import type { Freeze, LockSource } from './verdict.ts';
import type { VersionLocks } from './versions.ts';

/** The namespace of a release, as far as locks go. */
export interface NamespaceFacts {
  readonly name: string;
  readonly annotations: Annotations;
  readonly terminating: boolean;
}

interface Place {
  readonly source: LockSource;
  readonly annotations: Annotations;
}

/** Wherever a lock of a release may sit: a lock on any stored revision holds, and so does one on the Namespace (DESIGN.md 3). */
const placesOf = (records: readonly ReleaseRecord[], namespace: NamespaceFacts | undefined): readonly Place[] => {
  const places: Place[] = [];
  for (const record of records) {
    if (record.locks !== undefined) places.push({ source: refOf(record), annotations: record.locks });
  }
  if (namespace !== undefined) {
    const source = { kind: 'Namespace', namespace: '', name: namespace.name } as const;
    places.push({ source, annotations: namespace.annotations });
  }
  return places;
};

/** Every freeze in force. */
export const findFreezes = (
  records: readonly ReleaseRecord[],
  namespace: NamespaceFacts | undefined,
  nowMs: number,
): readonly Freeze[] =>
  placesOf(records, namespace).flatMap(({ annotations, source }) => readFreeze(annotations, source, nowMs) ?? []);

/** The maintenance window in force, if there is one. */
export const findOpen = (
  records: readonly ReleaseRecord[],
  namespace: NamespaceFacts | undefined,
  nowMs: number,
): Open | undefined =>
  placesOf(records, namespace)
    .map(({ annotations, source }) => readOpen(annotations, source, nowMs))
    .find((open) => open !== undefined);

/** Every lock on versions. One that cannot be read counts as locked. */
export const findVersionLocks = (
  records: readonly ReleaseRecord[],
  namespace: NamespaceFacts | undefined,
): VersionLocks => {
  const places = placesOf(records, namespace);
  return {
    pins: places.flatMap(({ annotations, source }) => {
      const range = annotations[PIN];
      return range === undefined ? [] : { source, range };
    }),
    noDowngrades: places.flatMap(({ annotations, source }) => (annotations[NO_DOWNGRADE] === undefined ? [] : source)),
  };
};
