import { aspectOf, type RecognisedReview } from '../admission/recognised-review.ts';
import type { AdmissionAnswer } from '../admission/wire/answer.ts';
import type { Review } from '../admission/wire/review.ts';
import type { ReleaseName } from '../helm/names.ts';
import { isController } from '../policy/controllers.ts';
import { RESTORES_CHART } from '../rules/object.ts';

/** Why a write passed without a verdict of the rules. */
const UNJUDGED: ReadonlySet<string> = new Set(['trusted', 'unchecked', 'deadline', 'failure', 'overload']);

/** Why a write of a person passed that may have ended drift. Nobody should have to wait to see that. */
const MAY_RESTORE: ReadonlySet<string> = new Set(['no drift', RESTORES_CHART]);

/** Whether the release has to be read from the object's own marks, because the answer does not name it. */
const isOfOwner = ({ user }: Review, { why, waived }: Extract<AdmissionAnswer, { allowed: true }>): boolean =>
  UNJUDGED.has(why) || (waived === undefined && MAY_RESTORE.has(why) && !isController(user.username));

/**
 * Releases to look at again after an answer. The write may have made drift: the policy only warned or audited, the release was open, the writer was
 * trusted, or there was no verdict in time. Or the write may have ended drift.
 */
export const rechecksOf = (review: RecognisedReview, answer: AdmissionAnswer): readonly ReleaseName[] => {
  if (!answer.allowed || review.dryRun) return NONE;
  const object = aspectOf(review, 'object');
  if (object === undefined && review.reviewKind !== 'scale') return NONE;
  // Nearly every write that passes ends here.
  if (answer.waived === undefined && answer.notes === undefined && !isOfOwner(review, answer)) return NONE;
  const { waived = [], notes = [], release } = answer;
  const owners = isOfOwner(review, answer) ? (object?.owners ?? []) : [];
  return [
    ...waived.flatMap(({ denial }) => ('release' in denial ? denial.release : [])),
    ...(release !== undefined && notes.some(({ reason }) => reason === 'OpenWindowUsed') ? [release] : []),
    ...owners,
  ];
};

const NONE: readonly ReleaseName[] = [];
