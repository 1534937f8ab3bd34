import type { Access } from '../facts/access.ts';
import { readClaim } from '../facts/claim-lease.ts';
import type { Situations } from '../facts/situation.ts';
import { keyOf, type ReleaseName } from '../helm/names.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { waive } from '../rules/actions.ts';
import { judgeClaim, renewEveryMs } from '../rules/claim.ts';
import { allow } from '../rules/verdict.ts';
import type { RenewalPace } from './renewal-pace.ts';
import type { AdmissionAnswer } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

/** The parts of a Lease that a renewal does not change. */
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

/** Null where the write removes the duration, which no holder may do. */
const newDurationOf = ({ object, oldObject }: Review): unknown =>
  durationOf(object) === durationOf(oldObject) ? undefined : (durationOf(object) ?? null);

export interface ReviewClaimDependencies {
  readonly access: Access;
  readonly situations: Pick<Situations, 'live'>;
  /** Shortest silence that the holder of a claim may ask for. */
  readonly shortestSilenceMs: number;
  readonly renewalPace: RenewalPace;
}

/** Judges a write of a claim's Lease by another user than Belay. The API server does not ask about Belay's own writes. */
export const reviewClaim = async (
  { access, situations, shortestSilenceMs, renewalPace }: ReviewClaimDependencies,
  review: Review,
  release: ReleaseName | undefined,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  if (release === undefined || review.operation === 'CONNECT') return allow('no claim');
  const { facts, lease, namespace, policy, clock } = await situations.live(release, signal);
  const stored = review.oldObject ?? review.object;
  const claim = stored === undefined ? undefined : readClaim(stored)?.claim;
  const mayBreak =
    review.operation === 'CREATE' && (await access.may(review.user, 'break', release.namespace, release.name, signal));
  const everyMs = renewEveryMs(claim, shortestSilenceMs);
  const verdict = judgeClaim(
    {
      lease: review.name,
      release,
      operation: review.operation,
      username: review.user.username,
      changesMoreThanRenewal: withoutRenewal(review.object) !== withoutRenewal(review.oldObject),
      newDurationSeconds: newDurationOf(review),
      shortestSilenceMs,
      claim,
      terminating: namespace?.terminating === true,
      mayBreak,
      isThere: lease !== undefined,
      isPaced: () => review.dryRun || renewalPace.mayRenew(keyOf(release), everyMs),
    },
    facts,
    clock,
  );
  return verdict.allowed ? verdict : waive(policy, allow('waived'), verdict);
};
