import type { ElectionIntervals } from '../intervals/intervals.ts';
import type { Api } from './api.ts';
import { type Lease, type LeaseName, microTime, readLease, writeLease } from './lease.ts';
import { annotationsWithoutMessages } from './lease-messages.ts';

/** The Lease of an election, as one replica sees it. */
export interface ElectionLease {
  /** Undefined when another replica leads. Else the Lease before and after this replica took it. */
  take(signal: AbortSignal): Promise<Change | undefined>;
  /**
   * Renews the Lease of the leader. `known` is the Lease of the last renewal; without it, the Lease is read first. `lost`: another replica
   * leads. `overtaken`: somebody has written in between.
   */
  renew(known: Lease | undefined, signal: AbortSignal): Promise<Change | 'lost' | 'overtaken'>;
  /** Lets another replica lead at once, instead of after the Lease has expired. */
  giveUp(signal: AbortSignal): Promise<void>;
}

export interface Change {
  /** Undefined when there was no Lease. */
  readonly before: Lease | undefined;
  readonly after: Lease;
}

export interface ElectionLeaseOptions {
  readonly api: Api;
  readonly lease: LeaseName;
  /** Of this replica, unique for each start of its process. */
  readonly identity: string;
  readonly intervals: Pick<ElectionIntervals, 'leaseMs'>;
  /** Milliseconds since the epoch, for people. */
  readonly nowMs: () => number;
  /** Never set back. */
  readonly monotonicMs: () => number;
}

/**
 * Whether the holder of a Lease has not renewed it for as long as the Lease says. Time runs from when this replica has *seen* the last renewal,
 * as in client-go (tools/leaderelection), so that the clocks of the replicas need not agree.
 */
const createExpiry = (monotonicMs: () => number, durationSeconds: number): ((lease: Lease) => boolean) => {
  let seen = { renewal: '', atMs: Number.NEGATIVE_INFINITY };
  return ({ spec }) => {
    // Messages change the Lease as well. Only a write of its holder shows that the holder lives.
    const renewal = `${spec?.holderIdentity} ${spec?.renewTime}`;
    if (renewal !== seen.renewal) seen = { renewal, atMs: monotonicMs() };
    if (!spec?.holderIdentity) return true;
    return monotonicMs() - seen.atMs >= (spec.leaseDurationSeconds ?? durationSeconds) * 1000;
  };
};

export const createElectionLease = (options: ElectionLeaseOptions): ElectionLease => {
  const { api, lease: name, identity, nowMs, monotonicMs } = options;
  const durationSeconds = options.intervals.leaseMs / 1000;
  const hasExpired = createExpiry(monotonicMs, durationSeconds);

  const toBody = (lease: Lease | undefined, holder: string): object => {
    const now = microTime(nowMs());
    const isOwn = lease?.spec?.holderIdentity === holder;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        ...name,
        labels: { 'app.kubernetes.io/name': 'belay' },
        annotations: annotationsWithoutMessages(lease),
        ...(lease === undefined ? {} : { resourceVersion: lease.metadata?.resourceVersion }),
      },
      spec: {
        holderIdentity: holder,
        leaseDurationSeconds: durationSeconds,
        acquireTime: isOwn ? (lease?.spec?.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (isOwn || lease === undefined ? 0 : 1),
      },
    };
  };

  const write = async (before: Lease | undefined, holder: string, signal: AbortSignal): Promise<Change | undefined> => {
    const body = toBody(before, holder);
    const after = await writeLease<Lease>(api, { lease: name, body, isNew: before === undefined, signal });
    return after === undefined ? undefined : { before, after };
  };

  return {
    take: async (signal) => {
      const lease = await readLease(api, name, signal);
      if (lease !== undefined && !hasExpired(lease)) return undefined;
      return write(lease, identity, signal);
    },
    renew: async (known, signal) => {
      const lease = known ?? (await readLease(api, name, signal));
      if (lease !== undefined && lease.spec?.holderIdentity !== identity) return 'lost';
      return (await write(lease, identity, signal)) ?? 'overtaken';
    },
    giveUp: async (signal) => {
      const lease = await readLease(api, name, signal);
      if (lease?.spec?.holderIdentity === identity) await write(lease, '', signal);
    },
  };
};
