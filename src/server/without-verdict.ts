import type { AdmissionAnswer, ReviewKind } from '../admission/wire/answer.ts';
import type { Operation } from '../admission/wire/review.ts';

/**
 * What becomes of a review that no rule has answered: the deadline came first, something broke, or there were too many reviews. Each kind has
 * its own answer, the same that the failurePolicy of its webhook gives when Belay cannot be reached at all:
 * - closed for what locks and operations hang on: they are never silently passed;
 * - open for objects: a cluster whose Deployments cannot change is worse than a field that drifts for a while. But not for their DELETE:
 *   Helm goes on deleting after its `uninstalling` was refused, and what is deleted does not come back. `--objects-fail closed` goes with
 *   failurePolicy Fail for those who would rather have it the other way round (manifests/overlays/strict).
 */
const FAILS: Readonly<Record<ReviewKind, 'closed' | 'open'>> = {
  record: 'closed',
  namespace: 'closed',
  claim: 'closed',
  object: 'open',
  scale: 'open',
  // One that cannot be read changes nothing when it gets in: it is ignored, and its status says so.
  policy: 'open',
  // None of Belay's business: its rule would have allowed it.
  unknown: 'open',
};

/** What becomes of objects and their scale. */
export type ObjectsFail = 'closed' | 'open';

const isClosed = (kind: ReviewKind, operation: Operation, objectsFail: ObjectsFail): boolean => {
  if (kind === 'object') return objectsFail === 'closed' || operation === 'DELETE';
  return kind === 'scale' ? objectsFail === 'closed' : FAILS[kind] === 'closed';
};

export type Cause = 'deadline' | 'failure' | 'overload';

const PROBLEM: Readonly<Record<Cause, string>> = {
  deadline: 'it did not get to a decision in time',
  failure: 'something went wrong inside Belay, its log says what',
  overload: 'it has too many reviews to answer at once',
};

export const answerWithoutVerdict = (
  kind: ReviewKind,
  operation: Operation,
  cause: Cause,
  objectsFail: ObjectsFail = 'open',
): AdmissionAnswer =>
  isClosed(kind, operation, objectsFail)
    ? { allowed: false, denial: { code: 'BelayUnavailable', problem: PROBLEM[cause] } }
    : {
        allowed: true,
        why: cause,
        warnings: [`Belay let this pass unchecked: ${PROBLEM[cause]}`],
        audit: { unchecked: cause },
      };
