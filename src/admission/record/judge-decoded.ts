import type { Freeze } from '../../policy/lock.ts';
import { ruleOf } from '../../rules/actions.ts';
import type { ReleaseFacts, StaleClock } from '../../rules/in-flight.ts';
import { judgeRecord } from '../../rules/record/judge-record.ts';
import { refuseUnreadable } from '../../rules/record/refuse.ts';
import { passWaived } from '../../rules/record/waived.ts';
import type { RecordVerdict, RecordWrite } from '../../rules/record/write.ts';
import { allow, deny, type Verdict } from '../../rules/verdict.ts';
import type { RecognisedReview } from '../recognised-review.ts';
import { isCollector } from './collector.ts';
import { type Decoded, NOTHING_DECODED } from './decode-record.ts';
import type { RecordReview } from './read-record-review.ts';

/** The facts about the release, as they were read at one time. */
export interface RecordLook {
  readonly facts: ReleaseFacts;
  readonly freezes: readonly Freeze[];
  readonly clock: StaleClock;
  readonly terminating: boolean;
  /** A refusal that does not depend on the release's state. */
  readonly trap: Verdict | undefined;
  /** Whether the policy enforces the rules of operations and of the record. */
  readonly isGuarded: boolean;
}

const judge = (review: RecognisedReview, parsed: RecordReview, decoded: Decoded, look: RecordLook): RecordVerdict => {
  const record = parsed.after ?? parsed.before;
  if (record === undefined) return allow('not a record');
  if (look.trap?.allowed === false) return look.trap;
  if (!decoded.readable) return deny(refuseUnreadable(parsed.release, record, decoded.problem));
  return judgeRecord(toWrite(review, parsed, decoded, look), look.facts, look.freezes, look.clock);
};

const toWrite = (review: RecognisedReview, parsed: RecordReview, decoded: Decoded, look: RecordLook): RecordWrite => ({
  release: parsed.release,
  username: review.user.username,
  before: parsed.before,
  after: parsed.after,
  contentChanged: parsed.contentChanged,
  labels: review.object?.metadata?.labels ?? {},
  ...(decoded.readable ? decoded.write : NOTHING_DECODED),
  gainsOwner: parsed.gainsOwner,
  terminating: look.terminating,
  isDying: review.oldObject?.metadata?.deletionTimestamp !== undefined,
  endsDeletion: review.endsDeletion === true,
  isCollected: isCollector(review.user),
});

/** Judges a write of a record by one look at its release. Where the policy does not enforce the rules of operations, it passes. */
export const judgeDecoded = (
  review: RecognisedReview,
  parsed: RecordReview,
  decoded: Decoded,
  look: RecordLook,
): RecordVerdict => {
  const verdict = judge(review, parsed, decoded, look);
  if (verdict.allowed || look.isGuarded || ruleOf(verdict.denial.code) !== 'operations') return verdict;
  return passWaived(toWrite(review, parsed, decoded, look), verdict.denial);
};
