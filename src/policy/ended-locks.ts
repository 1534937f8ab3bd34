import {
  type Annotations,
  BREAK,
  endMs,
  FREEZE,
  FREEZE_BY,
  FREEZE_UNTIL,
  OPEN,
  OPEN_UNTIL,
  parseTime,
} from './lock-annotations.ts';

/** A lock that no longer says anything, and the words for why. */
export interface EndedLock {
  readonly keys: readonly string[];
  readonly because: string;
}

const showTime = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

/**
 * The locks that were over before their record or Namespace was written, as in a backup. `isOver` says whether the operation of the record is
 * over, to which `break` belongs; a Namespace has none.
 */
export const findEndedLocks = (locks: Annotations, nowMs: number, isOver: boolean): readonly EndedLock[] => {
  const ended: EndedLock[] = [];
  const freezeEndMs = endMs(locks);
  if (freezeEndMs <= nowMs) {
    ended.push({ keys: [FREEZE, FREEZE_UNTIL, FREEZE_BY], because: `the freeze ended at ${showTime(freezeEndMs)}` });
  }
  const openEndMs = parseTime(locks[OPEN_UNTIL] ?? '');
  if (openEndMs !== undefined && openEndMs <= nowMs) {
    ended.push({ keys: [OPEN, OPEN_UNTIL], because: `the maintenance window ended at ${showTime(openEndMs)}` });
  }
  if (isOver && locks[BREAK] !== undefined) {
    ended.push({ keys: [BREAK], because: 'the operation that was declared dead is over' });
  }
  return ended;
};

/** The locks of a restored object: in place of those that are over, the ones that stand. */
export const withoutEnded = (locks: Annotations, ended: readonly EndedLock[], standing: Annotations): Annotations => {
  const kept: Record<string, string> = { ...locks };
  for (const key of ended.flatMap(({ keys }) => keys)) {
    const stands = standing[key];
    if (stands === undefined) delete kept[key];
    else kept[key] = stands;
  }
  return kept;
};
