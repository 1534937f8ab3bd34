import type { EventToNote } from '../events/event-object.ts';
import { type EventReason, REASON_OF_DENIAL, typeOf } from '../events/event-reasons.ts';
import { releaseOfLease } from '../facts/claim-lease.ts';
import type { ReleaseName } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { Denial } from '../rules/verdict.ts';
import { showName } from '../text/escape.ts';
import { regardingOf } from './event-regarding.ts';
import { describeDenial } from './explain/message.ts';
import { aspectOf, type RecognisedReview } from './recognised-review.ts';
import type { AdmissionAnswer } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

/** What `eventsOf` needs beside the review. */
export interface EventContext {
  readonly nowMs: number;
  /** The stored revisions of a release, from memory. No decision rests on them. */
  readonly recordsOf: (release: ReleaseName) => readonly ReleaseRecord[];
}

/**
 * The Events that tell of an answer: each on the release's record, and on the object that was written. Nearly every answer leaves none, and a dry
 * run never leaves one. Answers of /mutate leave none, because /validate follows.
 */
export const eventsOf = (
  review: RecognisedReview,
  answer: AdmissionAnswer,
  context: EventContext,
): readonly EventToNote[] => {
  const { reviewKind: kind } = review;
  if (review.dryRun || kind === 'unknown') return NONE;
  const toEvent = (reason: EventReason, release: ReleaseName, message: string, denial?: Denial): EventToNote => ({
    reason,
    type: typeOf(reason),
    message,
    release,
    regarding: regardingOf({ review, kind, denial, allowed: answer.allowed, records: context.recordsOf(release) }),
    action: toCamelCase(denial !== undefined && 'attempt' in denial ? denial.attempt : review.operation.toLowerCase()),
  });

  if (!answer.allowed) {
    const { denial } = answer;
    const reason = REASON_OF_DENIAL[denial.code];
    return reason === undefined
      ? NONE
      : [toEvent(reason, releaseOf(review, denial), describe(review, denial, context.nowMs), denial)];
  }
  const { waived, release, notes } = answer;
  if (waived === undefined && notes === undefined) return NONE;
  return [
    ...(waived ?? []).map(({ action, denial }) => {
      const { reason, passed } = WAIVED[action];
      const message = `${passed}: ${describe(review, denial, context.nowMs)}`;
      return toEvent(reason, releaseOf(review, denial), message, denial);
    }),
    ...(release === undefined ? [] : (notes ?? []).map(({ reason, text }) => toEvent(reason, release, text))),
  ];
};

const NONE: readonly EventToNote[] = [];

const WAIVED = {
  Warn: { reason: 'RefusalWarned', passed: 'passed, because the policy only warns' },
  Audit: { reason: 'RefusalAudited', passed: 'passed, because the policy only audits' },
} as const;

/** The denial's headline, and who tried to write: the person who sees the Event is seldom the person who was refused. */
const describe = (review: Review, denial: Denial, nowMs: number): string => {
  const headline = describeDenial(denial, nowMs).causes[0]?.message ?? denial.code;
  // This headline names the user already.
  return denial.code === 'BelayLockForbidden' ? headline : `${headline} (tried by ${showName(review.user.username)})`;
};

const releaseOf = (review: RecognisedReview, denial: Denial): ReleaseName => {
  if ('release' in denial) return denial.release;
  const { namespace } = review;
  if (denial.code === 'BelayClaimGuarded') return { namespace, name: releaseOfLease(denial.lease) ?? '' };
  // The name is empty for a Namespace, whose locks hold for all releases in it.
  return { namespace, name: aspectOf(review, 'record')?.recordName?.release ?? '' };
};

/** `record edit` -> `RecordEdit` */
const toCamelCase = (words: string): string =>
  words
    .split(' ')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
