import type { KubernetesObject } from '../../kubernetes/object.ts';
import { findEndedLocks, withoutEnded } from '../../policy/ended-locks.ts';
import type { Annotations } from '../../policy/lock-annotations.ts';
import type { Review } from '../wire/review.ts';

/** The locks that a write brings, without those that are over. */
export interface RestoredLocks {
  readonly locks: Annotations;
  /** What the writer is told of the locks that were dropped. */
  readonly warnings: readonly string[];
}

/** Velero notes on everything that it writes which restore it belongs to (velero pkg/label). */
const RESTORE_LABEL = 'velero.io/restore-name';

const restoreOf = (object: KubernetesObject | undefined): string | undefined =>
  object?.metadata?.labels?.[RESTORE_LABEL];

/**
 * Whether the write may bring an object back from a backup: a CREATE, or a restore over what is there. Other writes of a lock that is over are
 * mistakes, and are refused.
 */
const isRestore = ({ object, oldObject }: Review): boolean =>
  oldObject === undefined || restoreOf(object) !== restoreOf(oldObject);

/** A backup holds locks that are over by the time of the restore. They lock nothing any more, and must not keep the object from coming back. */
export const dropEndedLocks = (
  review: Review,
  locks: Annotations,
  { standing, isOver, nowMs }: { readonly standing: Annotations; readonly isOver: boolean; readonly nowMs: number },
): RestoredLocks => {
  const ended = isRestore(review) ? findEndedLocks(locks, nowMs, isOver) : [];
  if (ended.length === 0) return { locks, warnings: [] };
  const dropped = ended.map(({ keys, because }) => {
    const written = keys.filter((key) => locks[key] !== undefined);
    return `${written.join(', ')} left out: ${because}`;
  });
  return { locks: withoutEnded(locks, ended, standing), warnings: dropped };
};
