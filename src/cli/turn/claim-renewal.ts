import { leaseName, readClaim } from '../../facts/claim-lease.ts';
import type { LockIntervals } from '../../intervals/intervals.ts';
import { type Api, pathOf } from '../../kubernetes/api.ts';
import { leasePath, microTime } from '../../kubernetes/lease.ts';
import type { ReflectedObject } from '../../kubernetes/object.ts';
import type { LeaseTarget } from './lock-lease.ts';

/** Renewals within the silence that the policy allows. A living operation counts as dead only when all of them are lost. */
const RENEWALS_PER_SILENCE = 4;

interface ClaimLease extends ReflectedObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly acquireTime?: string;
    readonly leaseDurationSeconds?: number;
  };
}

/** The user name of this process, as the API server sees it. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review */
const whoAmI = async (api: Api): Promise<string | undefined> => {
  const review = await api.request<{ status?: { userInfo?: { username?: string } } }>({
    method: 'POST',
    path: pathOf('apis', 'authentication.k8s.io', 'v1', 'selfsubjectreviews'),
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  return review.status?.userInfo?.username;
};

/**
 * Renews Belay's claim on the operation while Helm runs, and shortens the silence after which the operation counts as dead. A hook may then
 * take hours, and a crash is detected in under a minute. A failed renewal does no harm: Belay then judges the operation like one of a Helm
 * without `lock`. The returned function stops the renewal.
 */
export const renewClaim = (
  api: Api,
  target: LeaseTarget,
  /** `acquireTime` of the claim from before Helm began. That claim belongs to somebody else. */
  acquiredBeforeMs: number | undefined,
  wallMs: () => number,
  { silenceMs, renewEveryMs, claimLookEveryMs }: LockIntervals,
): (() => void) => {
  const path = leasePath({ namespace: target.namespace, name: leaseName(target.release) });
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  let me: Promise<string | undefined> | undefined;

  /** Resolves to the time until the next renewal. */
  const renew = async (): Promise<number> => {
    const lease = await api.request<ClaimLease>({ path });
    const claim = readClaim(lease)?.claim;
    if (claim === undefined || claim.acquiredAtMs === acquiredBeforeMs) return claimLookEveryMs;
    me ??= whoAmI(api);
    if (claim.holder !== (await me) || isOver) return claimLookEveryMs;
    const wantedSeconds = silenceMs / 1000;
    const seconds = lease.spec?.leaseDurationSeconds ?? 0;
    await api.request({
      method: 'PATCH',
      path,
      contentType: 'application/merge-patch+json',
      body: {
        metadata: { resourceVersion: claim.resourceVersion },
        spec: {
          renewTime: microTime(wallMs()),
          ...(seconds > wantedSeconds && { leaseDurationSeconds: wantedSeconds }),
        },
      },
    });
    // As often as the lock, or more often when the policy allows less silence.
    return Math.min(renewEveryMs, (seconds * 1000) / RENEWALS_PER_SILENCE);
  };
  const again = async (): Promise<void> => {
    const nextMs = await renew().catch(() => claimLookEveryMs);
    if (!isOver) timer = setTimeout(again, nextMs);
  };
  timer = setTimeout(again, claimLookEveryMs);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
};
