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

/** What a command does to the annotations of a record or Namespace. */
export interface LockEdit {
  /** Of it, when it is done: `release/web frozen`. */
  readonly done: string;
  /** A lock is set, or (false) taken away. */
  readonly sets: boolean;
  /** As `status` calls it; undefined for what is none. */
  readonly kind: LockKind | undefined;
  /** null: the annotation is taken away. */
  readonly wanted: Readonly<Record<string, string | null>>;
  /** The records that it is about; all of a release unless told. */
  readonly appliesTo?: (record: ReleaseRecord, newest: ReleaseRecord) => boolean;
}

/** The changes that are left to be made: empty when the annotations are as wanted. */
export const changesFor = ({ wanted }: LockEdit, annotations: Annotations): Readonly<Record<string, string | null>> =>
  Object.fromEntries(Object.entries(wanted).filter(([key, value]) => (annotations[key] ?? null) !== value));

/** Without an end, one that stood before goes: a freeze is until it is lifted unless told. */
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

/** Only the operation that is there can be declared dead. */
export const breakOperation = (reason: string): LockEdit => ({
  done: 'broken',
  sets: true,
  kind: undefined,
  wanted: { [BREAK]: reason },
  appliesTo: (record, newest) =>
    isUnfinished(record.status) && record.kind === newest.kind && record.revision === newest.revision,
});
