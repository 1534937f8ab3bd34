import type { Logger } from 'pino';
import { mayISweep } from '../facts/access.ts';
import type { SweepIntervals } from '../intervals/intervals.ts';
import type { Api } from '../kubernetes/api.ts';
import { sleep } from '../kubernetes/sleep.ts';
import type { SweepCounter } from './sweep-stats.ts';

export interface WaitForRightDependencies {
  readonly api: Api;
  readonly stats: Pick<SweepCounter, 'read' | 'setEnabled'>;
  readonly intervals: Pick<SweepIntervals, 'askEveryMs'>;
  readonly log: Logger;
}

/** Asks again and again. Resolves when Belay has the right to sweep, or when the signal fires. */
export const waitForRight = async (
  { api, stats, intervals, log }: WaitForRightDependencies,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    try {
      const may = await mayISweep(api, signal);
      if (may !== stats.read().enabled)
        log.info({ enabled: may }, may ? 'the sweep begins' : 'no sweep: manifests/overlays/drift is not applied');
      stats.setEnabled(may);
      if (may) return;
    } catch (error) {
      if (!signal.aborted) log.warn({ err: (error as Error).message }, 'whether Belay may sweep is not known');
    }
    await sleep(intervals.askEveryMs, signal);
  }
};
