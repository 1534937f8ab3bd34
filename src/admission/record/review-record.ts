import type { Logger } from 'pino';
import type { Claims } from '../../facts/claims.ts';
import type { Policies } from '../../facts/policies.ts';
import type { LiveSituation, Situations } from '../../facts/situation.ts';
import type { RecordKind } from '../../helm/names.ts';
import type { RecordName } from '../../helm/record.ts';
import { ApiError } from '../../kubernetes/api.ts';
import { sleep } from '../../kubernetes/sleep.ts';
import { waive } from '../../rules/actions.ts';
import { isSignOfLife } from '../../rules/record/sign-of-life.ts';
import type { ClaimRequest } from '../../rules/record/write.ts';
import { allow, deny, type Note, type Verdict } from '../../rules/verdict.ts';
import type { RecognisedReview } from '../recognised-review.ts';
import type { AdmissionAnswer } from '../wire/answer.ts';
import { isCollector } from './collector.ts';
import { decodeRecord } from './decode-record.ts';
import { type JudgeLiveDependencies, judgeLive } from './judge-live.ts';
import { type RecordReview, readRecordReview } from './read-record-review.ts';
import { refuseImpostor, refuseMisnamed, refuseTrap } from './record-traps.ts';
import { type NoteRefusedUninstallDependencies, noteRefusedUninstall, startsUninstall } from './refused-uninstall.ts';

export interface ReviewRecordDependencies extends JudgeLiveDependencies, NoteRefusedUninstallDependencies {
  readonly situations: Pick<Situations, 'live' | 'withHome' | 'policyFromMemory'>;
  readonly policies: Pick<Policies, 'isSynced'>;
  readonly claims: Pick<Claims, 'take' | 'noteRefusedUninstall'>;
  readonly log: Logger;
}

/**
 * A start whose claim fails is judged again. The second judgement nearly always shows who has won the Lease. Where it does not, somebody has only
 * written the Lease, and the claim is tried again until the deadline. So nobody stops the operations of others by writing a Lease.
 */
const PAUSE_MS = 10;
const MAX_PAUSE_MS = 200;

/** Judges a write of a release record; on a start, claims the release before answering. */
export const reviewRecord = async (
  dependencies: ReviewRecordDependencies,
  review: RecognisedReview,
  name: RecordName | undefined,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  const { situations, policies } = dependencies;
  // A freeze or a pin may be in a policy that has not been read yet.
  if (!policies.isSynced()) return deny({ code: 'BelayUnavailable', problem: 'the policies have not been read yet' });
  const parsed = readRecordReview(review, name);
  if (parsed === undefined) {
    const policy = situations.policyFromMemory({ namespace: review.namespace, name: '' });
    return waive(policy, allow('not a record'), refuseMisnamed(review));
  }
  // It takes owners off what outlives them, and its own finalizers while others are left. Nothing is lost by that.
  if (isCollector(review.user) && review.operation !== 'DELETE') return allow('garbage collector');
  const trap = refuseTrap(review, parsed) ?? refuseImpostor(review, parsed);
  const { before, after, contentChanged, locksChanged, gainsOwner } = parsed;
  const isMetadata =
    before !== undefined &&
    after !== undefined &&
    !contentChanged &&
    !locksChanged &&
    !gainsOwner &&
    !isSignOfLife(before, after);
  if (isMetadata && trap === undefined) return allow('metadata');
  return judgeAndClaim(dependencies, review, parsed, trap, signal);
};

/** Judges again until the claim of a start is written over the Lease that the last judgement has seen. */
const judgeAndClaim = async (
  dependencies: ReviewRecordDependencies,
  review: RecognisedReview,
  parsed: RecordReview,
  trap: Verdict | undefined,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  const decoding = decodeRecord(dependencies, review, parsed, signal);
  decoding.catch(() => undefined); // `judgeLive` awaits it; a failure before that must not count as unhandled
  for (let pauseMs = PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    const { answer, claim, situation } = await judgeLive(dependencies, { review, parsed, trap, decoding }, signal);
    if (!answer.allowed && startsUninstall(review, parsed)) {
      if (await noteRefusedUninstall(dependencies, review.user.username, situation, signal)) return answer;
      await sleep(pauseMs, signal);
      continue;
    }
    if (claim === undefined || !answer.allowed || review.dryRun) return answer;
    const taken = await takeClaim(dependencies, review, { ...claim, storage: parsed.kind }, situation, signal);
    if (typeof taken === 'string') {
      // With its namespace all of the release is going, and nothing new is stored there, a claim neither.
      return situation.namespace?.terminating === true ? answer : deny({ code: 'BelayUnavailable', problem: taken });
    }
    if (taken) {
      return claim.takesOver === undefined ? answer : tellTakeover(dependencies, review, answer, claim, situation);
    }
    await sleep(pauseMs, signal);
  }
  return deny({
    code: 'BelayUnavailable',
    problem: 'several operations began at once and none could be told to be first',
  });
};

/** Whether the claim was written, or the words of the API server where it may not be: a quota, or somebody else's webhook, refuses it. */
const takeClaim = async (
  { claims }: ReviewRecordDependencies,
  { user, uid }: RecognisedReview,
  { operation, revision, recordVersion, storage }: ClaimRequest & { readonly storage: RecordKind },
  { release, lease, clock }: LiveSituation,
  signal: AbortSignal,
): Promise<boolean | string> => {
  const { staleAfterMs } = clock;
  const admission = { release, holder: user.username, operation, revision, recordVersion, storage, requestUid: uid };
  try {
    return await claims.take({ ...admission, lease, staleAfterMs }, signal);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status < 400 || error.status >= 500 || error.status === 429) throw error;
    return `the claim on the release could not be written: ${error.message}`;
  }
};

const tellTakeover = (
  { log }: ReviewRecordDependencies,
  { user }: RecognisedReview,
  answer: Extract<Verdict, { allowed: true }>,
  { operation, revision, takesOver }: ClaimRequest,
  { release }: LiveSituation,
): AdmissionAnswer => {
  log.info({ namespace: release.namespace, release: release.name, operation, revision, takesOver }, 'takeover');
  const note: Note = {
    reason: 'OperationTakenOver',
    text: `${operation} to revision ${revision} by ${user.username} takes over revision ${takesOver?.revision}, which is ${takesOver?.reason}`,
  };
  return { ...answer, release, notes: [...(answer.notes ?? []), note] };
};
