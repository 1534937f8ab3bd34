import type { Logger } from 'pino';
import type { ReleaseName } from '../helm/names.ts';
import type { ClaimIntervals } from '../intervals/intervals.ts';
import type { Api } from '../kubernetes/api.ts';
import { deleteLease, type LeaseName, leasePath, microTime, writeLease } from '../kubernetes/lease.ts';
import { sleep } from '../kubernetes/sleep.ts';
import { silenceOf } from '../rules/in-flight.ts';
import { type Admission, leaseName, toLease } from './claim-lease.ts';
import type { LeaseVersion } from './live-facts.ts';
import type { ReleaseIndex } from './release-index.ts';

/** Writes the Lease by which of two starters, racing through two replicas, exactly one wins. */
export interface Claims {
  /** True when the claim was written; false when somebody else wrote the Lease since it was read. */
  take(request: ClaimTake, signal: AbortSignal): Promise<boolean>;
  /** Notes a governed write of the holder. At most one write per release and interval; failures are of no consequence. */
  heardFrom(release: ReleaseName, holder: string, staleAfterMs: number): void;
  /** Removes the claims of releases that are gone, until the signal fires. */
  sweep(signal: AbortSignal): Promise<void>;
}

export interface ClaimTake extends Admission {
  /** Silence after which the operation counts as dead. */
  readonly staleAfterMs: number;
  /** The Lease as it was read: the claim is written over just that. */
  readonly lease: LeaseVersion | undefined;
}

/** A release's claim is renewed this many times per `staleAfter` while its holder writes. */
const RENEWALS_PER_STALE_AFTER = 6;
/** Releases whose last renewal is remembered; beyond that the oldest are renewed again sooner. */
const MAX_REMEMBERED = 10_000;

const claimLease = ({ namespace, name }: ReleaseName): LeaseName => ({ namespace, name: leaseName(name) });

export const createClaims = (
  api: Api,
  index: ReleaseIndex,
  log: Logger,
  nowMs: () => number,
  { sweepEveryMs, orphanAfterMs }: Pick<ClaimIntervals, 'sweepEveryMs' | 'orphanAfterMs'>,
): Claims => {
  const renewedAtMs = new Map<string, number>();

  const renew = async (release: ReleaseName, holder: string, renewEveryMs: number): Promise<void> => {
    const { claim } = index.facts(release);
    if (claim === undefined || claim.holder !== holder || nowMs() - claim.renewedAtMs < renewEveryMs) return;
    await api.request({
      method: 'PATCH',
      path: leasePath(claimLease(release)),
      contentType: 'application/merge-patch+json',
      // The resourceVersion keeps a late renewal from speaking for somebody else's claim.
      body: { metadata: { resourceVersion: claim.resourceVersion }, spec: { renewTime: microTime(nowMs()) } },
    });
  };

  const removeOrphans = async (signal: AbortSignal): Promise<void> => {
    for (const { release, claim } of index.orphanedClaims()) {
      if (nowMs() - claim.renewedAtMs < orphanAfterMs) continue;
      await deleteLease(api, claimLease(release), { resourceVersion: claim.resourceVersion }, signal);
    }
  };

  return {
    take: async (request, signal) => {
      const { lease, release } = request;
      const body = toLease({
        ...request,
        nowMs: nowMs(),
        previous:
          lease === undefined ? undefined : { resourceVersion: lease.resourceVersion, transitions: lease.transitions },
      });
      const stored = await writeLease(api, { lease: claimLease(release), body, isNew: lease === undefined, signal });
      // A Lease that somebody has deleted, and that only its finalizers kept, goes with this very write: the next try makes it anew.
      return stored !== undefined && stored.metadata?.deletionTimestamp === undefined;
    },

    heardFrom: (release, holder, staleAfterMs) => {
      const renewEveryMs = silenceOf(index.facts(release).claim, staleAfterMs) / RENEWALS_PER_STALE_AFTER;
      const key = `${release.namespace}/${release.name}`;
      const now = nowMs();
      if (now - (renewedAtMs.get(key) ?? 0) < renewEveryMs) return;
      renewedAtMs.delete(key);
      renewedAtMs.set(key, now);
      if (renewedAtMs.size > MAX_REMEMBERED) {
        const [oldest] = renewedAtMs.keys();
        if (oldest !== undefined) renewedAtMs.delete(oldest);
      }
      renew(release, holder, renewEveryMs).catch((error: unknown) => {
        // The write itself was allowed; only the moment of staleness comes earlier than it might.
        log.debug(
          { namespace: release.namespace, release: release.name, err: (error as Error).message },
          'claim not renewed',
        );
      });
    },

    sweep: async (signal) => {
      while (!signal.aborted) {
        await sleep(sweepEveryMs, signal);
        if (signal.aborted) return;
        await removeOrphans(signal).catch((error: unknown) => {
          if (!signal.aborted) log.warn({ err: (error as Error).message }, 'orphaned claims not removed');
        });
      }
    },
  };
};
