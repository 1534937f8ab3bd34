import { isUnfinished, type ReleaseRecord } from '../../helm/record.ts';
import {
  type Annotations,
  BREAK,
  FREEZE,
  FREEZE_UNTIL,
  NO_DOWNGRADE,
  OPEN,
  OPEN_UNTIL,
  PIN,
} from '../../policy/lock-annotations.ts';
import { showTime } from '../../text/when.ts';
import type { LockKind } from '../releases/locks.ts';

/** A change to the annotations of records or of a Namespace. */
export interface LockEdit {
  /** The word for the finished change, as in `release/web frozen`. */
  readonly done: string;
  /** true: sets a lock. false: lifts a lock. */
  readonly sets: boolean;
  /** The name of the lock in `status`; undefined for a change that is no lock. */
  readonly kind: LockKind | undefined;
  /** null: removes the annotation. */
  readonly wanted: Readonly<Record<string, string | null>>;
  /** The records to change; by default all records of a release. */
  readonly appliesTo?: (record: ReleaseRecord, newest: ReleaseRecord) => boolean;
}

/** The changes that are still to be made. Empty: the annotations are as wanted. */
export const changesFor = ({ wanted }: LockEdit, annotations: Annotations): Readonly<Record<string, string | null>> =>
  Object.fromEntries(Object.entries(wanted).filter(([key, value]) => (annotations[key] ?? null) !== value));

/** Without an end, the freeze holds until it is lifted. An earlier end is then removed. */
export const freeze = (reason: string, untilMs: number | undefined): LockEdit => ({
  done: 'frozen',
  sets: true,
  kind: 'frozen',
  wanted: { [FREEZE]: reason, [FREEZE_UNTIL]: untilMs === undefined ? null : showTime(untilMs) },
});

export const unfreeze: LockEdit = {
  done: 'unfrozen',
  sets: false,
  kind: 'frozen',
  wanted: { [FREEZE]: null, [FREEZE_UNTIL]: null },
};

export const pin = (range: string): LockEdit => ({
  done: 'pinned',
  sets: true,
  kind: 'pinned',
  wanted: { [PIN]: range },
});

export const unpin: LockEdit = { done: 'unpinned', sets: false, kind: 'pinned', wanted: { [PIN]: null } };

export const noDowngrade = (on: boolean): LockEdit => ({
  done: on ? 'no-downgrade on' : 'no-downgrade off',
  sets: on,
  kind: 'no-downgrade',
  wanted: { [NO_DOWNGRADE]: on ? 'true' : null },
});

export const open = (reason: string, untilMs: number): LockEdit => ({
  done: 'opened',
  sets: true,
  kind: 'open',
  wanted: { [OPEN]: reason, [OPEN_UNTIL]: showTime(untilMs) },
});

export const close: LockEdit = {
  done: 'closed',
  sets: false,
  kind: 'open',
  wanted: { [OPEN]: null, [OPEN_UNTIL]: null },
};

/** Declares the operation under way dead. It is on the newest record. */
export const breakOperation = (reason: string): LockEdit => ({
  done: 'broken',
  sets: true,
  kind: undefined,
  wanted: { [BREAK]: reason },
  appliesTo: (record, newest) =>
    isUnfinished(record.status) && record.kind === newest.kind && record.revision === newest.revision,
});
