import type { Access } from '../facts/access.ts';
import type { ReleaseName } from '../helm/names.ts';
import { judgeLockChange, type LockChange, replacesFreezeOf } from '../policy/judge-lock-change.ts';
import type { LockSource, LockVerb } from '../policy/lock.ts';
import type { Annotations } from '../policy/lock-annotations.ts';
import { deny, type NoteReason, type Verdict } from '../rules/verdict.ts';
import type { Review } from './wire/review.ts';

export interface JudgeLockWriteDependencies {
  readonly access: Access;
  readonly nowMs: () => number;
}

/** A write of lock annotations on one record or Namespace. */
export interface LockWrite {
  readonly review: Review;
  /** For a Namespace the name is empty: the right is asked for all its releases. */
  readonly release: ReleaseName;
  readonly source: LockSource;
  readonly before: Annotations;
  readonly after: Annotations;
  /** The verbs that the user needs no right for. */
  readonly granted?: readonly LockVerb[];
}

/** Undefined when the write touches no lock. Refused when a lock is not well-formed, or when the user has no right to it. */
export const judgeLockWrite = async (
  { access, nowMs }: JudgeLockWriteDependencies,
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
  const asked = change.verbs.filter((verb) => write.granted?.includes(verb) !== true);
  const missing = (await Promise.all(asked.map(lacking))).find((verb) => verb !== undefined);
  if (missing === undefined) return passLocks(write, change);
  return deny({
    code: 'BelayLockForbidden',
    release: write.release,
    source: write.source,
    user: user.username,
    verb: missing,
    annotations: change.keys,
    ...(missing === 'unlock' && { replacesFreezeOf: replacesFreezeOf(write.before, write.after, nowMs()) }),
  });
};

const REASONS: Readonly<Record<LockVerb, NoteReason>> = {
  lock: 'ReleaseLocked',
  unlock: 'ReleaseUnlocked',
  open: 'ReleaseOpened',
  break: 'OperationBroken',
};

/** Each use of a verb leaves an Event and an audit annotation, with what was written. */
const passLocks = ({ review, release, after }: LockWrite, { keys, verbs }: LockChange): Verdict => {
  const written = keys.map((key) => (after[key] === undefined ? `${key}-` : `${key}=${JSON.stringify(after[key])}`));
  const text = written.join(', ');
  return {
    allowed: true,
    why: 'locks',
    audit: Object.fromEntries(verbs.map((verb) => [verb, text])),
    release,
    notes: verbs.map((verb) => ({ reason: REASONS[verb], text: `${review.user.username} wrote ${text}` })),
  };
};
