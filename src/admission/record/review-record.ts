import type { ReleaseName } from '../../helm/names.ts';
import type { PayloadSummary } from '../../helm/payload.ts';
import { judgeUnder, waive } from '../../rules/actions.ts';
import { findFreezes, type NamespaceFacts } from '../../rules/locks.ts';
import type { ClaimRequest } from '../../rules/record/write.ts';
import { allow, deny, type Note, type Verdict } from '../../rules/verdict.ts';
import { clockOf, type ReviewDependencies } from '../dependencies.ts';
import type { AdmissionAnswer } from '../wire/answer.ts';
import type { Review } from '../wire/review.ts';
import { decodeRecord } from './decode-record.ts';
import { judgeDecoded } from './judge-decoded.ts';
import { refuseObjectsElsewhere } from './objects-elsewhere.ts';
import { readRecordReview } from './read-record-review.ts';
import { judgeRecordLocks, sameLocks } from './record-locks.ts';
import { refuseMisnamed, refuseTrap } from './record-traps.ts';
import { refuseMove } from './version-move.ts';

/** Starters that lose the race for the Lease look again this often; the second look nearly always shows who won. */
const MAX_CLAIM_ATTEMPTS = 3;

const noteTakeover = ({ user }: Review, { operation, revision, takesOver }: ClaimRequest): Note => ({
  reason: 'OperationTakenOver',
  text: `${operation} to revision ${revision} by ${user.username} takes over revision ${takesOver?.revision}, which is ${takesOver?.reason}`,
});

/** Adds what a write of locks leaves behind to the verdict on its record. */
const withLocks = <V extends Verdict>(verdict: V, locks: Verdict | undefined): V =>
  verdict.allowed && locks?.allowed === true
    ? { ...verdict, audit: locks.audit, release: locks.release, notes: locks.notes }
    : verdict;

/** The namespace of the objects, where it is not that of the records. */
const homeOf = async (
  { live }: ReviewDependencies,
  release: ReleaseName,
  payload: PayloadSummary | undefined,
  signal: AbortSignal,
): Promise<NamespaceFacts | undefined> =>
  payload === undefined || payload.namespace === '' || payload.namespace === release.namespace
    ? undefined
    : live.namespace(payload.namespace, signal);

/** Judges a write of a release record; on a start, claims the release before answering. */
export const reviewRecord = async (
  dependencies: ReviewDependencies,
  review: Review,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  const { live, claims, log, policies, index } = dependencies;
  // A freeze or a pin may be in a policy that has not been read yet.
  if (!policies.isSynced()) return deny({ code: 'BelayUnavailable', problem: 'the policies have not been read yet' });
  const parsed = readRecordReview(review);
  if (parsed === undefined) {
    const release = { namespace: review.namespace, name: '' };
    const policy = policies.inForce(release, index.namespace(review.namespace)?.labels ?? {});
    return waive(policy, allow('not a record'), refuseMisnamed(review));
  }
  const { release, before, after, contentChanged } = parsed;
  const trap = refuseTrap(review, parsed);
  const isMetadata = before !== undefined && after !== undefined && !contentChanged && sameLocks(parsed);
  if (isMetadata && trap === undefined) return allow('metadata');

  const decoding = decodeRecord(dependencies, review, parsed, signal);
  decoding.catch(() => undefined); // awaited below; a failure before that must not count as unhandled
  for (let attempt = 1; ; attempt += 1) {
    const [facts, namespace] = await Promise.all([
      live.release(release, signal),
      live.namespace(review.namespace, signal),
      policies.refreshed(),
    ]);
    const policy = policies.inForce(release, namespace?.labels ?? {});
    const clock = clockOf(dependencies, policy);
    const locks = await judgeRecordLocks(dependencies, review, parsed, facts.records, signal);
    if (locks?.allowed === false) return locks;
    const decoded = await decoding;
    const payload = decoded.readable ? decoded.write.payload : undefined;
    const home = await homeOf(dependencies, release, payload, signal);
    const namespaces = [namespace, home].filter((known) => known !== undefined);
    const verdict = judgeUnder(policy, (waived) =>
      judgeDecoded(review, parsed, decoded, {
        facts,
        freezes: waived.has('freeze') ? [] : findFreezes(facts.records, namespaces, policy, clock.nowMs),
        clock,
        terminating: namespace?.terminating === true,
        trap,
        isGuarded: !waived.has('operations'),
      }),
    );
    if (!verdict.allowed) return verdict;
    const elsewhere = await refuseObjectsElsewhere(dependencies, review, parsed, payload, signal);
    let answer: Verdict = withLocks(
      elsewhere === undefined ? verdict : waive<Verdict>(policy, verdict, elsewhere),
      locks,
    );
    if (verdict.claim === undefined) return answer;
    const move = { release, operation: verdict.claim.operation, payload };
    const refused = await refuseMove(dependencies, move, facts.records, namespaces, policy);
    if (refused !== undefined) answer = waive(policy, answer, refused);
    if (!answer.allowed || review.dryRun) return answer;

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
        staleAfterMs: clock.staleAfterMs,
      },
      signal,
    );
    if (taken) {
      if (takesOver === undefined) return answer;
      log.info({ namespace: release.namespace, release: release.name, operation, revision, takesOver }, 'takeover');
      return { ...answer, release, notes: [...(answer.notes ?? []), noteTakeover(review, verdict.claim)] };
    }
    if (attempt >= MAX_CLAIM_ATTEMPTS) {
      return deny({
        code: 'BelayUnavailable',
        problem: 'several operations began at once and none could be told to be first',
      });
    }
  }
};
