import type { AdmissionAnswer, ReviewKind } from '../admission/answer.ts';
import type { Review } from '../admission/review.ts';
import { ownerOf } from '../reviews/classify.ts';
import type { ReleaseName } from '../rules/verdict.ts';

/** Writes that passed without a judgement, or in spite of it. */
const UNJUDGED: ReadonlySet<string> = new Set(['trusted', 'unchecked', 'deadline', 'failure', 'overload']);

/**
 * Releases that an answer may have let drift: what only warned or was audited, was written while the release was open, by somebody trusted, or
 * could not be judged in time.
 */
export const rechecksOf = (review: Review, kind: ReviewKind, answer: AdmissionAnswer): readonly ReleaseName[] => {
  if (!answer.allowed || review.dryRun || (kind !== 'object' && kind !== 'scale')) return NONE;
  // Nearly all that passes is nothing of the kind.
  if (answer.waived === undefined && answer.notes === undefined && !UNJUDGED.has(answer.why)) return NONE;
  const { waived = [], notes = [], release, why } = answer;
  const owners = UNJUDGED.has(why) ? [ownerOf(review.oldObject), ownerOf(review.object)] : [];
  return [
    ...waived.flatMap(({ denial }) => ('release' in denial ? denial.release : [])),
    ...(release !== undefined && notes.some(({ reason }) => reason === 'OpenWindowUsed') ? [release] : []),
    ...owners.filter((owner) => owner !== undefined),
  ];
};

const NONE: readonly ReleaseName[] = [];
