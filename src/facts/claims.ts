import type { Logger } from 'pino';
import type { ReleaseName } from '../helm/names.ts';
import type { ClaimIntervals } from '../intervals/intervals.ts';
import { type Api, isConflict, isNotFound } from '../kubernetes/api.ts';
import { deleteLease, leasePath, writeLease } from '../kubernetes/lease.ts';
import { sleep } from '../kubernetes/sleep.ts';
import { type Admission, leaseName, toLease, UNINSTALL_REFUSED } from './claim-lease.ts';
import { createClaimRenewal } from './claim-renewal.ts';
import type { ReleaseIndex } from './release-index.ts';
import type { LeaseVersion } from './release-reader.ts';

/** Writes claims. When two operations start at once through two replicas, exactly one of them gets its claim written. */
export interface Claims {
  /** True when the claim was written; false when somebody else wrote the Lease since it was read. */
  take(request: ClaimTake, signal: AbortSignal): Promise<boolean>;
  /** Notes beside a claim whose uninstall was refused. False when somebody else wrote the Lease since it was read. */
  noteRefusedUninstall(note: RefusedUninstall, signal: AbortSignal): Promise<boolean>;
  /** Notes that the holder has written a governed object. Writes the Lease of a release at most once in an interval. A failure has no consequence. */
  noteHolderWrite(release: ReleaseName, holder: string, staleAfterMs: number): void;
  /** Removes the claims of releases that are gone, until the signal fires. */
  sweep(signal: AbortSignal): Promise<void>;
}

export interface ClaimTake extends Admission {
  /** Silence after which the operation counts as dead. */
  readonly staleAfterMs: number;
  /** The Lease as it was read. The claim is written only over this version of it. */
  readonly lease: LeaseVersion | undefined;
}

export interface RefusedUninstall {
  readonly release: ReleaseName;
  /** The Lease as it was read, with the claim that the note is for. */
  readonly lease: LeaseVersion;
  readonly usernames: readonly string[];
}

export const createClaims = (
  api: Api,
  index: ReleaseIndex,
  log: Logger,
  nowMs: () => number,
  { sweepEveryMs, orphanAfterMs }: Pick<ClaimIntervals, 'sweepEveryMs' | 'orphanAfterMs'>,
): Claims => {
  const removeOrphans = async (signal: AbortSignal): Promise<void> => {
    for (const { release, claim } of index.orphanedClaims()) {
      if (nowMs() - claim.renewedAtMs < orphanAfterMs) continue;
      const lease = { namespace: release.namespace, name: leaseName(release.name) };
      // A Lease that somebody has written meanwhile is not deleted. The next sweep looks at it again.
      await deleteLease(api, lease, { resourceVersion: claim.resourceVersion }, signal);
    }
  };

  return {
    noteHolderWrite: createClaimRenewal({ api, index, log, nowMs }),

    take: async (request, signal) => {
      const { lease: previous, release } = request;
      const lease = { namespace: release.namespace, name: leaseName(release.name) };
      const body = toLease({ ...request, nowMs: nowMs(), previous });
      const stored = await writeLease(api, { lease, body, isNew: previous === undefined, signal });
      // Somebody has deleted the Lease, and only its finalizers kept it. This write removes it, and the next try makes it anew.
      return stored !== undefined && stored.metadata?.deletionTimestamp === undefined;
    },

    noteRefusedUninstall: async ({ release: { namespace, name }, lease: { resourceVersion }, usernames }, signal) => {
      try {
        await api.request({
          method: 'PATCH',
          path: leasePath({ namespace, name: leaseName(name) }),
          contentType: 'application/merge-patch+json',
          body: { metadata: { resourceVersion, annotations: { [UNINSTALL_REFUSED]: JSON.stringify(usernames) } } },
          signal,
        });
        return true;
      } catch (error) {
        if (isConflict(error) || isNotFound(error)) return false;
        throw error;
      }
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
