import type { Logger } from 'pino';
import type { ElectionIntervals } from '../intervals/intervals.ts';
import type { ElectionLease } from './election-lease.ts';
import type { Lease } from './lease.ts';
import type { WakeableSleep } from './sleep.ts';

/** The time for which one replica leads without a break. */
export interface Term {
  /** Of the Lease, for the log. */
  readonly name: string;
  readonly lease: ElectionLease;
  readonly first: Lease;
  readonly rest: WakeableSleep;
  readonly intervals: ElectionIntervals;
  readonly monotonicMs: () => number;
  readonly onRenewed: (before: Lease | undefined) => void;
  readonly log: Logger;
}

/** Renews the Lease. Resolves when this replica leads no longer. */
export const holdLease = async (term: Term, signal: AbortSignal): Promise<void> => {
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
      term.log.debug({ lease: term.name, err: (error as Error).message }, 'the Lease was not renewed');
    }
  }
};
