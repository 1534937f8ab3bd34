import { readClaim, releaseOfLease } from '../facts/claim-lease.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { waive } from '../rules/actions.ts';
import { judgeClaim } from '../rules/claim.ts';
import { allow } from '../rules/verdict.ts';
import { clockOf, type ReviewDependencies } from './dependencies.ts';
import type { AdmissionAnswer } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

/** Everything a renewal leaves alone. */
const withoutRenewal = (lease: KubernetesObject | undefined): string => {
  const {
    managedFields: _managedFields,
    resourceVersion: _version,
    generation: _generation,
    ...metadata
  } = lease?.metadata ?? {};
  const spec = { ...(lease?.spec as object | undefined), renewTime: undefined, leaseDurationSeconds: undefined };
  return JSON.stringify({ ...lease, metadata, spec });
};

const durationOf = (lease: KubernetesObject | undefined): unknown =>
  (lease?.spec as { leaseDurationSeconds?: unknown } | undefined)?.leaseDurationSeconds;

/** Null where it was taken away, which no holder may do. */
const newDurationOf = ({ object, oldObject }: Review): unknown =>
  durationOf(object) === durationOf(oldObject) ? undefined : (durationOf(object) ?? null);

/** Judges a write of a claim's Lease by anybody but Belay itself (which the API server does not ask about). */
export const reviewClaim = async (
  dependencies: ReviewDependencies,
  review: Review,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  const name = releaseOfLease(review.name);
  if (name === undefined || review.operation === 'CONNECT') return allow('no claim');
  const release = { namespace: review.namespace, name };
  const { live } = dependencies;
  const [facts, namespace] = await Promise.all([
    live.release(release, signal),
    live.namespace(review.namespace, signal),
  ]);
  const policy = dependencies.policies.inForce(release, namespace?.labels ?? {});
  const verdict = judgeClaim(
    {
      lease: review.name,
      release,
      operation: review.operation,
      username: review.user.username,
      changesMoreThanRenewal: withoutRenewal(review.object) !== withoutRenewal(review.oldObject),
      newDurationSeconds: newDurationOf(review),
      shortestSilenceMs: dependencies.shortestSilenceMs,
      claim: review.oldObject === undefined ? undefined : readClaim(review.oldObject)?.claim,
      terminating: namespace?.terminating === true,
    },
    facts,
    clockOf(dependencies, policy),
  );
  return waive(policy, allow('waived'), verdict);
};
