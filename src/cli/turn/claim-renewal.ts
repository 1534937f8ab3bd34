import { leaseName, readClaim } from '../../facts/claim-lease.ts';
import type { LockIntervals } from '../../intervals/intervals.ts';
import { type Api, pathOf } from '../../kubernetes/api.ts';
import { leasePath, microTime } from '../../kubernetes/lease.ts';
import type { ReflectedObject } from '../../kubernetes/object.ts';
import type { LeaseTarget } from './lock-lease.ts';

/** So many may be lost but one before a living operation counts as dead. */
const RENEWALS_PER_SILENCE = 4;

interface ClaimLease extends ReflectedObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly acquireTime?: string;
    readonly leaseDurationSeconds?: number;
  };
}

/** Who the API server takes this process for. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review */
const whoAmI = async (api: Api): Promise<string | undefined> => {
  const review = await api.request<{ status?: { userInfo?: { username?: string } } }>({
    method: 'POST',
    path: pathOf('apis', 'authentication.k8s.io', 'v1', 'selfsubjectreviews'),
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  return review.status?.userInfo?.username;
};

/**
 * While Helm runs, renews the claim that Belay gave to its operation, and shortens the time after which silence counts as death: a hook may
 * then take hours, and a crash is seen in under a minute. A failure is of no consequence: the operation is then judged as that of a Helm that
 * nobody watches. Stop it by the function that it gives back.
 */
export const renewClaim = (
  api: Api,
  target: LeaseTarget,
  /** `acquireTime` of the claim that was there before Helm began: that one is somebody else's. */
  acquiredBeforeMs: number | undefined,
  wallMs: () => number,
  { silenceMs, renewEveryMs, claimLookEveryMs }: LockIntervals,
): (() => void) => {
  const path = leasePath({ namespace: target.namespace, name: leaseName(target.release) });
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  let me: Promise<string | undefined> | undefined;

  /** Resolves to when to renew it next. */
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
    // As often as the lock, or more often where the policy calls an operation dead sooner.
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
