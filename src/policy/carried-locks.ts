import { type Annotations, BREAK, endMs, FREEZE, FREEZE_BY, FREEZE_UNTIL } from './lock-annotations.ts';

/** The annotations of a freeze go together: an end or an author of one freeze says nothing of another. */
const FREEZE_KEYS: ReadonlySet<string> = new Set([FREEZE, FREEZE_UNTIL, FREEZE_BY]);

const hasFreeze = (locks: Annotations): boolean => locks[FREEZE] !== undefined || locks[FREEZE_UNTIL] !== undefined;

/**
 * The locks of all stored revisions, the oldest first, as the next revision carries them. Where they differ, the newest revision's count, and
 * of freezes the one that lasts longest. `break` belongs to one record alone.
 */
export const unionOfLocks = (revisions: readonly (Annotations | undefined)[]): Annotations => {
  const union: Record<string, string> = {};
  let freeze: Annotations = {};
  for (const locks of revisions) {
    if (locks === undefined) continue;
    Object.assign(union, locks);
    if (hasFreeze(locks) && (!hasFreeze(freeze) || endMs(locks) >= endMs(freeze))) freeze = locks;
  }
  delete union[BREAK];
  for (const key of FREEZE_KEYS) {
    const value = freeze[key];
    if (value === undefined) delete union[key];
    else union[key] = value;
  }
  return union;
};

/** Whether `newer` holds what `key` locks in `older`: the same lock, and a freeze for as long. */
export const holdsLock = (key: string, older: Annotations, newer: Annotations | undefined): boolean => {
  if (newer === undefined) return false;
  if (!FREEZE_KEYS.has(key)) return newer[key] === older[key];
  return newer[FREEZE] === older[FREEZE] && newer[FREEZE_BY] === older[FREEZE_BY] && endMs(newer) >= endMs(older);
};

/**
 * What a created record is compared with: the locks that stand already, for what the record carries of them. A lock that it does not carry
 * stays where it is.
 */
export const lockedBefore = (union: Annotations, created: Annotations): Annotations =>
  Object.fromEntries(
    Object.entries(union).filter(([key]) => created[FREEZE_KEYS.has(key) ? FREEZE : key] !== undefined),
  );
