import type { ReleaseRecord } from '../helm/record.ts';
import { type Annotations, NO_DOWNGRADE, type Open, PIN, readFreeze, readOpen } from '../policy/lock-annotations.ts';
import { refOf } from './in-flight.ts';
import type { Freeze, LockSource } from './verdict.ts';
import type { Pin, VersionLocks } from './versions.ts';

/** The namespace of a release, as far as locks go. */
export interface NamespaceFacts {
  readonly name: string;
  readonly annotations: Annotations;
  readonly terminating: boolean;
}

/** Every freeze in force: a lock on any stored revision holds, and so does one on the Namespace (DESIGN.md 3). */
export const findFreezes = (
  records: readonly ReleaseRecord[],
  namespace: NamespaceFacts | undefined,
  nowMs: number,
): readonly Freeze[] => {
  const found: Freeze[] = [];
  for (const record of records) {
    if (record.locks === undefined) continue;
    const freeze = readFreeze(record.locks, refOf(record), nowMs);
    if (freeze !== undefined) found.push(freeze);
  }
  if (namespace !== undefined) {
    const freeze = readFreeze(namespace.annotations, { kind: 'Namespace', namespace: '', name: namespace.name }, nowMs);
    if (freeze !== undefined) found.push(freeze);
  }
  return found;
};

/** The maintenance window in force, if there is one. */
export const findOpen = (
  records: readonly ReleaseRecord[],
  namespace: NamespaceFacts | undefined,
  nowMs: number,
): Open | undefined => {
  for (const record of records) {
    const open = record.locks === undefined ? undefined : readOpen(record.locks, refOf(record), nowMs);
    if (open !== undefined) return open;
  }
  if (namespace === undefined) return undefined;
  return readOpen(namespace.annotations, { kind: 'Namespace', namespace: '', name: namespace.name }, nowMs);
};

/** Every lock on versions, on any stored revision or on the Namespace. One that cannot be read counts as locked. */
export const findVersionLocks = (
  records: readonly ReleaseRecord[],
  namespace: NamespaceFacts | undefined,
): VersionLocks => {
  const pins: Pin[] = [];
  const noDowngrades: LockSource[] = [];
  const read = (annotations: Annotations, source: LockSource): void => {
    const range = annotations[PIN];
    if (range !== undefined) pins.push({ source, range });
    if (annotations[NO_DOWNGRADE] !== undefined) noDowngrades.push(source);
  };
  for (const record of records) if (record.locks !== undefined) read(record.locks, refOf(record));
  if (namespace !== undefined) read(namespace.annotations, { kind: 'Namespace', namespace: '', name: namespace.name });
  return { pins, noDowngrades };
};
