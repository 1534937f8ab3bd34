import type { AdmissionAnswer } from '../admission/answer.ts';
import type { Review } from '../admission/review.ts';
import { classify } from './classify.ts';
import type { ReviewDependencies } from './dependencies.ts';
import { reviewClaim } from './review-claim.ts';
import { reviewNamespace } from './review-namespace.ts';
import { reviewObject } from './review-object.ts';
import { reviewRecord } from './review-record.ts';
import { reviewScale } from './review-scale.ts';

/** Answers /validate: hands the review to what judges its kind. */
export const admit = (
  dependencies: ReviewDependencies,
  review: Review,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  switch (classify(review)) {
    case 'record':
      return reviewRecord(dependencies, review, signal);
    case 'object':
      return reviewObject(dependencies, review, signal);
    case 'scale':
      return reviewScale(dependencies, review, signal);
    case 'namespace':
      return reviewNamespace(dependencies, review, signal);
    case 'claim':
      return reviewClaim(dependencies, review, signal);
    case 'unknown':
      return Promise.resolve({ allowed: true, why: 'none of ours' });
  }
};
