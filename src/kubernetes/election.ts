// Our own, after client-go's tools/leaderelection: @kubernetes/client-node has no leader election.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { ElectionIntervals } from '../intervals/intervals.ts';
import type { Api } from './api.ts';
import { createElectionLease } from './election-lease.ts';
import { holdLease } from './hold-lease.ts';
import type { Lease } from './lease.ts';
import { createOutbox, messagesOf } from './lease-messages.ts';
import { createWakeableSleep } from './sleep.ts';

/**
 * Of all replicas, one does what must not be done twice. A replica leads when it has written the Lease over the resourceVersion that it has
 * read, and for as long as it renews the Lease.
 */
export interface Election {
  isLeading(): boolean;
  /** Sends a message to the leader, from any replica. The message is lost if no replica leads. */
  tellLeader(message: string): void;
  /** Calls `lead` each time when this replica begins to lead; the signal of `lead` fires when it leads no longer. Ends when the signal fires. */
  run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void>;
}

export interface ElectionOptions {
  readonly api: Api;
  readonly namespace: string;
  readonly name: string;
  /** The pod's name, for people. */
  readonly instance: string;
  readonly log: Logger;
  readonly intervals: ElectionIntervals;
  /** Milliseconds since the epoch, for people. */
  readonly nowMs: () => number;
  /** Never set back. */
  readonly monotonicMs: () => number;
  /** A message has come to this replica as the leader. */
  readonly onMessage: (message: string) => void;
}

/** Resolves when the work has ended. An error after the signal is of no interest. */
const workUntil = async (
  signal: AbortSignal,
  lead: (signal: AbortSignal) => Promise<void>,
  { name, log }: Pick<ElectionOptions, 'name' | 'log'>,
): Promise<void> => {
  try {
    await lead(signal);
  } catch (error) {
    if (!signal.aborted) log.error({ lease: name, err: (error as Error).message }, 'what the leader does has failed');
  }
};

export const createElection = (options: ElectionOptions): Election => {
  const { api, namespace, name, log, monotonicMs, onMessage, intervals } = options;
  const { renewDeadlineMs, retryMs } = intervals;
  // A Pod keeps its name when it starts anew. It must not take the Lease of its predecessor for its own.
  const identity = `${options.instance}_${randomUUID()}`;
  const lease = createElectionLease({ ...options, lease: { name, namespace }, identity });
  const outbox = createOutbox(api, { name, namespace }, log);
  const rest = createWakeableSleep();
  let leading = false;

  const deliver = (before: Lease | undefined): void => {
    for (const message of messagesOf(before)) onMessage(message);
  };

  /** Undefined when this replica does not lead. */
  const tryToLead = async (signal: AbortSignal): Promise<Lease | undefined> => {
    try {
      await outbox.send(AbortSignal.any([signal, AbortSignal.timeout(renewDeadlineMs / 2)]));
      const taken = await lease.take(signal);
      deliver(taken?.before);
      return taken?.after;
    } catch (error) {
      if (!signal.aborted) log.debug({ lease: name, err: (error as Error).message }, 'no election');
      return undefined;
    }
  };

  const leadFrom = async (
    first: Lease,
    lead: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> => {
    log.info({ lease: name, identity }, 'this replica leads');
    const lost = new AbortController();
    leading = true;
    const work = workUntil(AbortSignal.any([signal, lost.signal]), lead, options);
    await holdLease({ name, lease, first, rest, intervals, monotonicMs, onRenewed: deliver, log }, signal);
    leading = false;
    lost.abort();
    await work;
    log.info({ lease: name, identity }, 'this replica leads no longer');
    await lease.giveUp(AbortSignal.timeout(retryMs)).catch(() => undefined);
  };

  return {
    isLeading: () => leading,
    tellLeader: (message) => {
      if (leading) onMessage(message);
      else outbox.add(message);
    },
    run: async (signal, lead) => {
      while (!signal.aborted) {
        const first = await tryToLead(signal);
        if (first === undefined) await rest.sleep(retryMs * (0.5 + Math.random() / 2), signal);
        else await leadFrom(first, lead, signal);
      }
    },
  };
};
