import type { AdmissionAnswer } from '../admission/answer.ts';
import type { Review } from '../admission/review.ts';
import { findFreezes } from '../rules/locks.ts';
import { judgeRecord } from '../rules/record/judge-record.ts';
import { refuseUnreadable } from '../rules/record/refuse.ts';
import { allow, deny } from '../rules/verdict.ts';
import { decodeRecord } from './decode-record.ts';
import { clockOf, type ReviewDependencies } from './dependencies.ts';
import { readRecordReview } from './read-record-review.ts';
import { refuseRecordLocks, sameLocks } from './record-locks.ts';
import { refuseMisnamed, refuseTrap } from './record-traps.ts';
import { refuseMove } from './version-move.ts';

/** Starters that lose the race for the Lease look again this often; the second look nearly always shows who won. */
const MAX_CLAIM_ATTEMPTS = 3;

/** Judges a write of a release record; on a start, claims the release before answering. */
export const reviewRecord = async (
  dependencies: ReviewDependencies,
  review: Review,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  const parsed = readRecordReview(review);
  if (parsed === undefined) return refuseMisnamed(review);
  const { release, before, after, contentChanged } = parsed;
  const trap = refuseTrap(review, parsed);
  if (trap !== undefined) return trap;
  if (before !== undefined && after !== undefined && !contentChanged && sameLocks(parsed)) return allow('metadata');

  const { live, claims, log } = dependencies;
  const decoding = decodeRecord(dependencies, review, parsed, signal);
  decoding.catch(() => undefined); // awaited below; a failure before that must not count as unhandled
  for (let attempt = 1; ; attempt += 1) {
    const [facts, namespace] = await Promise.all([
      live.release(release, signal),
      live.namespace(review.namespace, signal),
    ]);
    const lockRefusal = await refuseRecordLocks(dependencies, review, parsed, facts.records, signal);
    if (lockRefusal !== undefined) return lockRefusal;
    const decoded = await decoding;
    const record = after ?? before;
    if (!decoded.readable) {
      return record === undefined ? allow('not a record') : deny(refuseUnreadable(release, record, decoded.problem));
    }

    const clock = clockOf(dependencies);
    const verdict = judgeRecord(
      {
        release,
        username: review.user.username,
        before,
        after,
        contentChanged,
        labels: review.object?.metadata?.labels ?? {},
        ...decoded.write,
        terminating: namespace?.terminating === true,
      },
      facts,
      findFreezes(facts.records, namespace, clock.nowMs),
      clock,
    );
    if (!verdict.allowed || verdict.claim === undefined) return verdict;
    const move = { release, operation: verdict.claim.operation, payload: decoded.write.payload };
    const versionRefusal = await refuseMove(dependencies, move, facts.records, namespace);
    if (versionRefusal !== undefined) return versionRefusal;
    if (review.dryRun) return verdict;

    const { operation, revision, recordVersion, takesOver } = verdict.claim;
    const taken = await claims.take(
      {
        release,
        holder: review.user.username,
        operation,
        revision,
        recordVersion,
        requestUid: review.uid,
        lease: facts.lease,
      },
      signal,
    );
    if (taken) {
      if (takesOver !== undefined)
        log.info({ namespace: release.namespace, release: release.name, operation, revision, takesOver }, 'takeover');
      return allow(verdict.why);
    }
    if (attempt >= MAX_CLAIM_ATTEMPTS) {
      return deny({
        code: 'BelayUnavailable',
        problem: 'several operations began at once and none could be told to be first',
      });
    }
  }
};
