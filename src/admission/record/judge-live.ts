import type { LiveSituation, Situations } from '../../facts/situation.ts';
import { judgeUnder, waive } from '../../rules/actions.ts';
import { findFreezes } from '../../rules/locks.ts';
import type { ClaimRequest, RecordVerdict } from '../../rules/record/write.ts';
import type { Verdict } from '../../rules/verdict.ts';
import type { JudgeLockWriteDependencies } from '../lock-change.ts';
import type { RecognisedReview } from '../recognised-review.ts';
import type { Decoded, DecodeRecordDependencies } from './decode-record.ts';
import { judgeDecoded } from './judge-decoded.ts';
import { refuseObjectsElsewhere } from './objects-elsewhere.ts';
import type { RecordReview } from './read-record-review.ts';
import { judgeRecordLocks } from './record-locks.ts';
import { type RefuseMoveDependencies, refuseMove } from './version-move.ts';

export interface JudgeLiveDependencies
  extends DecodeRecordDependencies,
    JudgeLockWriteDependencies,
    RefuseMoveDependencies {
  readonly situations: Pick<Situations, 'live' | 'withHome'>;
}

/** A review of a record, with what does not change from one look at the release to the next. */
export interface PreparedReview {
  readonly review: RecognisedReview;
  readonly parsed: RecordReview;
  /** A refusal that does not depend on the release's state. */
  readonly trap: Verdict | undefined;
  readonly decoding: Promise<Decoded>;
}

export interface LiveJudgement {
  readonly answer: Verdict;
  /** For a start that no rule of operations refuses: the claim that must be written before the start is allowed. */
  readonly claim?: ClaimRequest | undefined;
  readonly situation: LiveSituation;
}

/** Adds the audit annotation and the Events of a write of locks to the verdict on its record. */
const withLocks = <V extends Verdict>(verdict: V, locks: Verdict | undefined): V =>
  verdict.allowed && locks?.allowed === true
    ? { ...verdict, audit: locks.audit, release: locks.release, notes: locks.notes }
    : verdict;

const judgeUnderPolicy = (
  { review, parsed, trap }: PreparedReview,
  decoded: Decoded,
  { facts, namespace, namespaces, policy, clock }: LiveSituation,
): RecordVerdict =>
  judgeUnder(policy, (waived) =>
    judgeDecoded(review, parsed, decoded, {
      facts,
      freezes: waived.has('freeze') ? [] : findFreezes(facts.records, namespaces, policy, clock.nowMs),
      clock,
      terminating: namespace?.terminating === true,
      trap,
      isGuarded: !waived.has('operations'),
    }),
  );

/** Judges a write of a record by the release's situation as the API server has it now: its locks, its operation, its pins. */
export const judgeLive = async (
  dependencies: JudgeLiveDependencies,
  prepared: PreparedReview,
  signal: AbortSignal,
): Promise<LiveJudgement> => {
  const { situations } = dependencies;
  const { review, parsed, decoding } = prepared;
  const { release } = parsed;
  const found = await situations.live(release, signal);
  const { facts, policy } = found;
  const locks = await judgeRecordLocks(dependencies, review, parsed, facts, signal);
  if (locks?.allowed === false) return { answer: locks, situation: found };

  const decoded = await decoding;
  const payload = decoded.readable ? decoded.write.payload : undefined;
  const situation = await situations.withHome(found, payload?.namespace ?? '', signal);
  const verdict = judgeUnderPolicy(prepared, decoded, situation);
  if (!verdict.allowed) return { answer: verdict, situation };

  const elsewhere = await refuseObjectsElsewhere(dependencies, review, parsed, payload, signal);
  const passed = withLocks(elsewhere === undefined ? verdict : waive<Verdict>(policy, verdict, elsewhere), locks);
  const { claim } = verdict;
  if (claim === undefined || claim.isComeback === true) return { answer: passed, claim, situation };
  const refused = await refuseMove(dependencies, { release, operation: claim.operation, payload }, situation);
  return { answer: refused === undefined ? passed : waive(policy, passed, refused), claim, situation };
};
