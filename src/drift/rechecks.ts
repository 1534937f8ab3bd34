import { aspectOf, type RecognisedReview } from '../admission/recognised-review.ts';
import type { AdmissionAnswer } from '../admission/wire/answer.ts';
import type { Review } from '../admission/wire/review.ts';
import type { ReleaseName } from '../helm/names.ts';
import { RESTORES_CHART } from '../rules/object.ts';

/** Writes that passed without a judgement, or in spite of it. */
const UNJUDGED: ReadonlySet<string> = new Set(['trusted', 'unchecked', 'deadline', 'failure', 'overload']);

/** What a person may do to what a release manages may have set it back: then nobody should have to wait to see that. */
const MAY_RESTORE: ReadonlySet<string> = new Set(['no drift', RESTORES_CHART]);

/** Whether the object's own marks tell which release it is: the answer does not. */
const isOfOwner = ({ user }: Review, { why, waived }: Extract<AdmissionAnswer, { allowed: true }>): boolean =>
  UNJUDGED.has(why) ||
  (waived === undefined && MAY_RESTORE.has(why) && !user.username.startsWith('system:serviceaccount:'));

/**
 * Releases that an answer may have let drift: what only warned or was audited, was written while the release was open, by somebody trusted, or
 * could not be judged in time; and those that it may have set back.
 */
export const rechecksOf = (review: RecognisedReview, answer: AdmissionAnswer): readonly ReleaseName[] => {
  const { reviewKind } = review;
  if (!answer.allowed || review.dryRun || (reviewKind !== 'object' && reviewKind !== 'scale')) return NONE;
  // Nearly all that passes is nothing of the kind.
  if (answer.waived === undefined && answer.notes === undefined && !isOfOwner(review, answer)) return NONE;
  const { waived = [], notes = [], release } = answer;
  const owners = isOfOwner(review, answer) ? (aspectOf(review, 'object')?.owners ?? []) : [];
  return [
    ...waived.flatMap(({ denial }) => ('release' in denial ? denial.release : [])),
    ...(release !== undefined && notes.some(({ reason }) => reason === 'OpenWindowUsed') ? [release] : []),
    ...owners,
  ];
};

const NONE: readonly ReleaseName[] = [];
