import type { Review } from '../admission/review.ts';
import { type Annotations, judgeLockChange } from '../policy/lock-annotations.ts';
import { deny, type LockSource, type LockVerb, type ReleaseName, type Verdict } from '../rules/verdict.ts';
import type { ReviewDependencies } from './dependencies.ts';

/** A write of lock annotations on one record or Namespace. */
export interface LockWrite {
  readonly review: Review;
  /** For a Namespace the name is empty: the right is asked for all its releases. */
  readonly release: ReleaseName;
  readonly source: LockSource;
  readonly before: Annotations;
  readonly after: Annotations;
}

/** Undefined when the write touches no lock, or is well-formed and by somebody who may. */
export const refuseLockChange = async (
  { access, nowMs }: ReviewDependencies,
  write: LockWrite,
  signal: AbortSignal,
): Promise<Verdict | undefined> => {
  const change = judgeLockChange(write.before, write.after, nowMs(), write.source);
  if (change.keys.length === 0) return undefined;
  const [problem] = change.problems;
  if (problem !== undefined) return deny({ code: 'BelayBadLock', source: write.source, ...problem });
  const { user } = write.review;
  const lacking = async (verb: LockVerb): Promise<LockVerb | undefined> =>
    (await access.may(user, verb, write.release.namespace, write.release.name, signal)) ? undefined : verb;
  const missing = (await Promise.all(change.verbs.map(lacking))).find((verb) => verb !== undefined);
  if (missing === undefined) return undefined;
  return deny({
    code: 'BelayLockForbidden',
    release: write.release,
    source: write.source,
    user: user.username,
    verb: missing,
    annotations: change.keys,
  });
};
