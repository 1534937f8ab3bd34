import type { AdmissionAnswer, ReviewKind } from '../admission/wire/answer.ts';
import type { Operation } from '../admission/wire/review.ts';
import type { ReleaseName } from '../helm/names.ts';

/**
 * What becomes of a review that no rule has answered: the deadline came first, something broke, or there were too many reviews. Each kind has
 * its own answer, the same that the failurePolicy of its webhook gives when Belay cannot be reached at all:
 * - closed for records, Namespaces and claims, on which locks and operations depend;
 * - closed for objects of a release that memory knows to be frozen: nobody gets past a freeze by keeping Belay busy;
 * - open for other objects: a cluster whose Deployments cannot change is worse than a field that drifts for a while. Their DELETE is refused:
 *   Helm goes on deleting after its `uninstalling` was refused, and a deleted object does not come back. `--objects-fail closed`, together with
 *   failurePolicy Fail, refuses the writes of objects too (manifests/overlays/strict).
 */
const FAILS: Readonly<Record<ReviewKind, 'closed' | 'open'>> = {
  record: 'closed',
  namespace: 'closed',
  claim: 'closed',
  object: 'open',
  scale: 'open',
  // As for an object: the marks do not tell the release of a hook. When its deletion is refused, Helm goes no further.
  hook: 'open',
  // A policy that is stored and cannot be read changes nothing: Belay ignores it, and its status says so.
  policy: 'open',
  // Belay has no rule for such a write, and would have allowed it.
  unknown: 'open',
};

/** Whether writes of objects and of their scale pass. */
export type ObjectsFail = 'closed' | 'open';

const isClosed = (kind: ReviewKind, operation: Operation, objectsFail: ObjectsFail): boolean => {
  if (kind === 'object' || kind === 'hook') return objectsFail === 'closed' || operation === 'DELETE';
  return kind === 'scale' ? objectsFail === 'closed' : FAILS[kind] === 'closed';
};

export type Cause = 'deadline' | 'failure' | 'overload' | 'costly' | 'oversized';

const PROBLEM: Readonly<Record<Cause, string>> = {
  deadline: 'it did not get to a decision in time',
  failure: 'something went wrong inside Belay, its log says what',
  overload: 'it has too many reviews to answer at once',
  costly: 'the manifest of the release takes too long to read',
  oversized:
    'what is labelled as records of the release has too much metadata to read. Look for what Helm did not write, and delete it: kubectl get secrets,configmaps -l owner=helm',
};

/** What is known of a review that no rule has answered. */
export interface UnjudgedFacts {
  readonly objectsFail?: ObjectsFail | undefined;
  /** The frozen release whose object the review would change. */
  readonly frozen?: ReleaseName | undefined;
}

export const answerWithoutVerdict = (
  kind: ReviewKind,
  operation: Operation,
  cause: Cause,
  { objectsFail = 'open', frozen }: UnjudgedFacts = {},
): AdmissionAnswer => {
  const deny = (problem: string): AdmissionAnswer => ({
    allowed: false,
    denial: { code: 'BelayUnavailable', problem },
  });
  if (frozen !== undefined)
    return deny(
      `${PROBLEM[cause]}, and release ${frozen.namespace}/${frozen.name} is frozen, so nothing of it passes unchecked`,
    );
  if (isClosed(kind, operation, objectsFail)) return deny(PROBLEM[cause]);
  return {
    allowed: true,
    why: cause,
    warnings: [`Belay let this pass unchecked: ${PROBLEM[cause]}`],
    audit: { unchecked: cause },
  };
};
