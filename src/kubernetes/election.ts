import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { createAlarm } from './alarm.ts';
import { type Api, isConflict, isNotFound, pathOf } from './api.ts';
import { microTime } from './lease.ts';
import type { ReflectedObject } from './object.ts';

/**
 * One of all replicas does what must not be done twice. Whoever writes the Lease with the resourceVersion that he has read leads, for as
 * long as he renews it. That it has expired is told by one's own clock: from when its last change was *seen*, as client-go does it
 * (tools/leaderelection), so that clocks need not agree.
 */
export interface Election {
  isLeading(): boolean;
  /** For the leader, from whichever replica: carried by annotations of the Lease. Lost if nobody leads. */
  tell(message: string): void;
  /** Calls `lead` whenever this replica leads; its signal fires when it no longer does. Ends when the signal fires. */
  run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void>;
}

export interface ElectionOptions {
  readonly api: Api;
  readonly namespace: string;
  readonly name: string;
  /** The pod's name, for people. */
  readonly instance: string;
  readonly log: Logger;
  /** Milliseconds since the epoch, for people. */
  readonly nowMs: () => number;
  /** Never set back. */
  readonly monotonicMs: () => number;
  /** A message of another replica has come. */
  readonly onMessage: (message: string) => void;
}

/** client-go's own defaults: another one leads at the latest 17 s after the leader has died. */
const LEASE_SECONDS = 15;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;

/** Of the messages of one second; there is room for a thousand in the annotations of a Lease (256 KiB). */
const MAX_MESSAGES = 100;
const MESSAGE = 'message.belay.dev/';

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

interface Lease extends ReflectedObject {
  readonly spec?: LeaseSpec;
}

export const createElection = (options: ElectionOptions): Election => {
  const { api, namespace, name, log, nowMs, monotonicMs, onMessage } = options;
  // A Pod that starts anew keeps its name, and must not take its predecessor's Lease for its own.
  const identity = `${options.instance}_${randomUUID()}`;
  const collection = pathOf('apis', 'coordination.k8s.io', 'v1', 'namespaces', namespace, 'leases');
  const path = collection + pathOf(name);
  const outbox = new Set<string>();
  const alarm = createAlarm();
  let leading = false;
  let seen = { renewal: '', atMs: Number.NEGATIVE_INFINITY };

  const read = async (signal: AbortSignal): Promise<Lease | undefined> => {
    try {
      return await api.request<Lease>({ path, signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  const toBody = (lease: Lease | undefined, holder: string): object => {
    const now = microTime(nowMs());
    const isOwn = lease?.spec?.holderIdentity === holder;
    const annotations = Object.entries(lease?.metadata?.annotations ?? {}).filter(([key]) => !key.startsWith(MESSAGE));
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name,
        namespace,
        labels: { 'app.kubernetes.io/name': 'belay' },
        annotations: Object.fromEntries(annotations),
        ...(lease === undefined ? {} : { resourceVersion: lease.metadata?.resourceVersion }),
      },
      spec: {
        holderIdentity: holder,
        leaseDurationSeconds: LEASE_SECONDS,
        acquireTime: isOwn ? (lease?.spec?.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (isOwn || lease === undefined ? 0 : 1),
      },
    };
  };

  /** Undefined when somebody else has written in between. */
  const write = async (lease: Lease | undefined, holder: string, signal: AbortSignal): Promise<Lease | undefined> => {
    const body = toBody(lease, holder);
    try {
      return await api.request<Lease>(
        lease === undefined
          ? { method: 'POST', path: collection, body, signal }
          : { method: 'PUT', path, body, signal },
      );
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return undefined;
      throw error;
    }
  };

  const deliver = (lease: Lease | undefined): void => {
    for (const [key, message] of Object.entries(lease?.metadata?.annotations ?? {}))
      if (key.startsWith(MESSAGE)) onMessage(message);
  };

  const hasExpired = (lease: Lease): boolean => {
    const { spec } = lease;
    // Messages change the Lease as well, but only what its holder writes shows that he lives.
    const renewal = `${spec?.holderIdentity} ${spec?.renewTime}`;
    if (renewal !== seen.renewal) seen = { renewal, atMs: monotonicMs() };
    if (!spec?.holderIdentity) return true;
    return monotonicMs() - seen.atMs >= (spec.leaseDurationSeconds ?? LEASE_SECONDS) * 1000;
  };

  const tryToLead = async (signal: AbortSignal): Promise<Lease | undefined> => {
    const lease = await read(signal);
    if (lease !== undefined && !hasExpired(lease)) return undefined;
    const written = await write(lease, identity, signal);
    if (written !== undefined) deliver(lease);
    return written;
  };

  /** Resolves when this replica leads no longer. */
  const hold = async (first: Lease, signal: AbortSignal): Promise<void> => {
    let renewedAtMs = monotonicMs();
    let lease: Lease | undefined = first;
    while (!signal.aborted && monotonicMs() - renewedAtMs < RENEW_DEADLINE_MS) {
      await alarm.wait(RETRY_MS, signal);
      if (signal.aborted) return;
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(RENEW_DEADLINE_MS / 2)]);
        lease ??= await read(limit);
        if (lease !== undefined && lease.spec?.holderIdentity !== identity) return;
        const before: Lease | undefined = lease;
        lease = await write(before, identity, limit);
        if (lease === undefined) {
          alarm.ring();
          continue;
        }
        deliver(before);
        renewedAtMs = monotonicMs();
      } catch (error) {
        lease = undefined;
        log.debug({ lease: name, err: (error as Error).message }, 'the Lease was not renewed');
      }
    }
  };

  /** So that the next one need not wait. */
  const giveUp = async (): Promise<void> => {
    const limit = AbortSignal.timeout(RETRY_MS);
    const lease = await read(limit);
    if (lease?.spec?.holderIdentity === identity) await write(lease, '', limit);
  };

  const send = async (signal: AbortSignal): Promise<void> => {
    if (outbox.size === 0) return;
    const messages = [...outbox];
    outbox.clear();
    const annotations = Object.fromEntries(messages.map((message) => [`${MESSAGE}${randomUUID()}`, message]));
    const limit = AbortSignal.any([signal, AbortSignal.timeout(RENEW_DEADLINE_MS / 2)]);
    const body = { metadata: { annotations } };
    await api
      .request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, signal: limit })
      .catch((error: unknown) => log.debug({ lease: name, err: (error as Error).message }, 'a message was lost'));
  };

  return {
    isLeading: () => leading,
    tell: (message) => {
      if (leading) onMessage(message);
      else if (outbox.size < MAX_MESSAGES) outbox.add(message);
    },
    run: async (signal, lead) => {
      while (!signal.aborted) {
        let lease: Lease | undefined;
        try {
          await send(signal);
          lease = await tryToLead(signal);
        } catch (error) {
          if (!signal.aborted) log.debug({ lease: name, err: (error as Error).message }, 'no election');
        }
        if (lease === undefined) {
          await alarm.wait(RETRY_MS * (0.5 + Math.random() / 2), signal);
          continue;
        }
        log.info({ lease: name, identity }, 'this replica leads');
        const lost = new AbortController();
        leading = true;
        const work = lead(AbortSignal.any([signal, lost.signal])).catch((error: unknown) => {
          if (!signal.aborted && !lost.signal.aborted)
            log.error({ lease: name, err: (error as Error).message }, 'what the leader does has failed');
        });
        await hold(lease, signal);
        leading = false;
        lost.abort();
        await work;
        log.info({ lease: name, identity }, 'this replica leads no longer');
        await giveUp().catch(() => undefined);
      }
    },
  };
};
