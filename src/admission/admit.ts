import type { ReviewDependencies } from './dependencies.ts';
import { reviewObject } from './object/review-object.ts';
import { reviewScale } from './object/review-scale.ts';
import { classify } from './recognise.ts';
import { reviewRecord } from './record/review-record.ts';
import { reviewClaim } from './review-claim.ts';
import { reviewNamespace } from './review-namespace.ts';
import { reviewPolicy } from './review-policy.ts';
import type { AdmissionAnswer, Now } from './wire/answer.ts';
import type { Deadline, Review } from './wire/review.ts';

/** Answers /validate: hands the review to what judges its kind. */
export const admit = (dependencies: ReviewDependencies, review: Review, deadline: Deadline): Now<AdmissionAnswer> => {
  switch (classify(review)) {
    case 'record':
      return reviewRecord(dependencies, review, deadline.signal);
    case 'object':
      return reviewObject(dependencies, review, deadline);
    case 'scale':
      return reviewScale(dependencies, review, deadline.signal);
    case 'namespace':
      return reviewNamespace(dependencies, review, deadline.signal);
    case 'claim':
      return reviewClaim(dependencies, review, deadline.signal);
    case 'policy':
      return Promise.resolve(reviewPolicy(review));
    case 'unknown':
      return { allowed: true, why: 'none of ours' };
  }
};
