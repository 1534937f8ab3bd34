import type { Logger } from 'pino';
import { keyOf, type ReleaseName } from '../helm/names.ts';
import type { Api } from '../kubernetes/api.ts';
import { leasePath, microTime } from '../kubernetes/lease.ts';
import { silenceOf } from '../rules/in-flight.ts';
import { leaseName } from './claim-lease.ts';
import type { ReleaseIndex } from './release-index.ts';

/** A release's claim is renewed this many times per `staleAfter` while its holder writes. */
const RENEWALS_PER_STALE_AFTER = 6;
/** How many releases have their last renewal remembered. The oldest beyond that are forgotten, and so are renewed again sooner. */
const MAX_REMEMBERED = 10_000;

export interface ClaimRenewalDependencies {
  readonly api: Api;
  readonly index: Pick<ReleaseIndex, 'facts'>;
  readonly log: Logger;
  readonly nowMs: () => number;
}

type RenewClaim = (release: ReleaseName, holder: string, staleAfterMs: number) => void;

/** Renews the claim of a holder that writes an object. The write of the object does not wait for the renewal. */
export const createClaimRenewal = ({ api, index, log, nowMs }: ClaimRenewalDependencies): RenewClaim => {
  const renewedAtMs = new Map<string, number>();

  const remember = (key: string, now: number): void => {
    // The entry is deleted first, so that it moves to the end: the Map is in the order of renewals.
    renewedAtMs.delete(key);
    renewedAtMs.set(key, now);
    if (renewedAtMs.size <= MAX_REMEMBERED) return;
    const [oldest] = renewedAtMs.keys();
    if (oldest !== undefined) renewedAtMs.delete(oldest);
  };

  const renew = async (release: ReleaseName, holder: string, renewEveryMs: number): Promise<void> => {
    const { claim } = index.facts(release);
    if (claim === undefined || claim.holder !== holder || nowMs() - claim.renewedAtMs < renewEveryMs) return;
    await api.request({
      method: 'PATCH',
      path: leasePath({ namespace: release.namespace, name: leaseName(release.name) }),
      contentType: 'application/merge-patch+json',
      // The resourceVersion keeps a late renewal from renewing somebody else's claim.
      body: { metadata: { resourceVersion: claim.resourceVersion }, spec: { renewTime: microTime(nowMs()) } },
    });
  };

  return (release, holder, staleAfterMs) => {
    const renewEveryMs = silenceOf(index.facts(release).claim, staleAfterMs) / RENEWALS_PER_STALE_AFTER;
    const key = keyOf(release);
    const now = nowMs();
    if (now - (renewedAtMs.get(key) ?? 0) < renewEveryMs) return;
    remember(key, now);
    renew(release, holder, renewEveryMs).catch((error: unknown) => {
      // The write itself was allowed. Without the renewal the operation only counts as stale sooner.
      const { namespace, name } = release;
      log.debug({ namespace, release: name, err: (error as Error).message }, 'claim not renewed');
    });
  };
};
