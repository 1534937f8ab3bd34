// Our own, after client-go's tools/leaderelection: @kubernetes/client-node has no leader election.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { ElectionIntervals } from '../intervals/intervals.ts';
import type { Api } from './api.ts';
import { createElectionLease, type ElectionLease } from './election-lease.ts';
import type { Lease } from './lease.ts';
import { createOutbox, messagesOf } from './lease-messages.ts';
import { createWakeableSleep, type WakeableSleep } from './sleep.ts';

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

interface Term {
  readonly lease: ElectionLease;
  readonly first: Lease;
  readonly rest: WakeableSleep;
  readonly intervals: ElectionIntervals;
  readonly monotonicMs: () => number;
  readonly onRenewed: (before: Lease | undefined) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Renews the Lease. Resolves when this replica leads no longer. */
const holdLease = async (term: Term, signal: AbortSignal): Promise<void> => {
  const { lease, rest, monotonicMs } = term;
  const { renewDeadlineMs, retryMs } = term.intervals;
  let renewedAtMs = monotonicMs();
  let known: Lease | undefined = term.first;
  while (!signal.aborted && monotonicMs() - renewedAtMs < renewDeadlineMs) {
    await rest.sleep(retryMs, signal);
    if (signal.aborted) return;
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(renewDeadlineMs / 2)]);
      const renewal = await lease.renew(known, limit);
      if (renewal === 'lost') return;
      if (renewal === 'overtaken') {
        known = undefined;
        rest.wake();
        continue;
      }
      known = renewal.after;
      term.onRenewed(renewal.before);
      renewedAtMs = monotonicMs();
    } catch (error) {
      known = undefined;
      term.onFailed(error);
    }
  }
};

export const createElection = (options: ElectionOptions): Election => {
  const { api, namespace, name, log, nowMs, monotonicMs, onMessage, intervals } = options;
  const { leaseMs, renewDeadlineMs, retryMs } = intervals;
  // A Pod keeps its name when it starts anew. It must not take the Lease of its predecessor for its own.
  const identity = `${options.instance}_${randomUUID()}`;
  const durationSeconds = leaseMs / 1000;
  const lease = createElectionLease({
    ...{ api, lease: { name, namespace }, identity, durationSeconds, nowMs, monotonicMs },
  });
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
    const work = lead(AbortSignal.any([signal, lost.signal])).catch((error: unknown) => {
      if (!signal.aborted && !lost.signal.aborted)
        log.error({ lease: name, err: (error as Error).message }, 'what the leader does has failed');
    });
    const onFailed = (error: unknown): void =>
      log.debug({ lease: name, err: (error as Error).message }, 'the Lease was not renewed');
    await holdLease({ lease, first, rest, intervals, monotonicMs, onRenewed: deliver, onFailed }, signal);
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
