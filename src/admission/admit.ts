import { allow } from '../rules/verdict.ts';
import { joinVerdicts } from './join-verdicts.ts';
import { type ReviewObjectDependencies, reviewObject } from './object/review-object.ts';
import { type ReviewScaleDependencies, reviewScale } from './object/review-scale.ts';
import type { Aspect, RecognisedReview } from './recognised-review.ts';
import { type ReviewRecordDependencies, reviewRecord } from './record/review-record.ts';
import { type ReviewClaimDependencies, reviewClaim } from './review-claim.ts';
import { type ReviewHookDependencies, reviewHook } from './review-hook.ts';
import { type ReviewNamespaceDependencies, reviewNamespace } from './review-namespace.ts';
import { reviewPolicy } from './review-policy.ts';
import type { AdmissionAnswer, Now } from './wire/answer.ts';
import type { Deadline } from './wire/review.ts';

/** Everything that the judges need. Each judge names its own part. */
export type AdmitDependencies = ReviewObjectDependencies &
  ReviewScaleDependencies &
  ReviewRecordDependencies &
  ReviewNamespaceDependencies &
  ReviewClaimDependencies &
  ReviewHookDependencies;

const judge = (
  dependencies: AdmitDependencies,
  review: RecognisedReview,
  aspect: Aspect,
  deadline: Deadline,
): Now<AdmissionAnswer> => {
  switch (aspect.kind) {
    case 'record':
      return reviewRecord(dependencies, review, aspect.recordName, deadline.signal);
    case 'object':
      return reviewObject(dependencies, review, aspect.owners, deadline);
    case 'hook':
      return reviewHook(dependencies, review, deadline.signal);
    case 'scale':
      return reviewScale(dependencies, review, deadline.signal);
    case 'namespace':
      return reviewNamespace(dependencies, review, deadline.signal);
    case 'claim':
      return reviewClaim(dependencies, review, aspect.release, deadline.signal);
    case 'policy':
      return reviewPolicy(review);
  }
};

/** Answers /validate. Every aspect of the review has its say, and the first refusal is the answer. */
export const admit = (
  dependencies: AdmitDependencies,
  review: RecognisedReview,
  deadline: Deadline,
): Now<AdmissionAnswer> => {
  const [first, ...others] = review.aspects;
  if (first === undefined) return allow('none of ours');
  const answer = judge(dependencies, review, first, deadline);
  return others.length === 0 ? answer : joinOthers(dependencies, review, answer, others, deadline);
};

const joinOthers = async (
  dependencies: AdmitDependencies,
  review: RecognisedReview,
  first: Now<AdmissionAnswer>,
  others: readonly Aspect[],
  deadline: Deadline,
): Promise<AdmissionAnswer> => {
  let answer = await first;
  for (const aspect of others) {
    if (!answer.allowed) return answer;
    answer = joinVerdicts(answer, await judge(dependencies, review, aspect, deadline));
  }
  return answer;
};
