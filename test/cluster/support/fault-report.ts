import assert from 'node:assert/strict';
import type { Outcome, Result } from './write-load.ts';

/** What a fault did to the writes that went on meanwhile. */
export interface FaultReport {
  readonly fault: string;
  readonly writes: number;
  readonly counts: Readonly<Record<Result, number>>;
  /** From the end of the fault to the end of the last write that went otherwise than it should; 0 when none did. */
  readonly recoveryMs: number;
  /** Of those that did not go as they should, what was said. */
  readonly said: readonly string[];
  /** Those that passed or were refused though no rule had decided. */
  readonly unjudged: readonly Outcome[];
  readonly perSecond: number;
}

const RESULTS = ['right', 'wrong', 'open', 'closed', 'away'] as const;

export const reportOf = (fault: string, outcomes: readonly Outcome[], healedAtMs: number): FaultReport => {
  const others = outcomes.filter(({ result }) => result !== 'right');
  const lastMs = Math.max(healedAtMs, ...others.map(({ endedMs }) => endedMs));
  const count = (result: Result): number => outcomes.filter((outcome) => outcome.result === result).length;
  return {
    fault,
    writes: outcomes.length,
    counts: Object.fromEntries(RESULTS.map((result) => [result, count(result)])) as Record<Result, number>,
    recoveryMs: lastMs - healedAtMs,
    unjudged: outcomes.filter(({ result }) => result === 'open' || result === 'closed'),
    perSecond: outcomes.length / (spanMs(outcomes) / 1000),
    said: [...new Set(others.map(({ what, result, said }) => `${result}: ${what}: ${said}`.slice(0, 400)))],
  };
};

const spanMs = (outcomes: readonly Outcome[]): number =>
  Math.max(...outcomes.map(({ endedMs }) => endedMs)) - Math.min(...outcomes.map(({ startedMs }) => startedMs));

/** Whatever else a fault does: a rule is never decided wrongly because of it. */
export const assertNoWrongDecision = ({ counts, said }: FaultReport): void => {
  assert.equal(counts.wrong, 0, said.filter((line) => line.startsWith('wrong')).join('\n'));
};

/** No write is lost, or passes unjudged, on Belay's account. */
export const assertAllJudged = ({ counts, said }: FaultReport): void => {
  assert.deepEqual({ open: counts.open, closed: counts.closed }, { open: 0, closed: 0 }, said.join('\n'));
};

/** As in docs/faults.md. */
export const tableOf = (reports: readonly FaultReport[]): string =>
  [
    '| fault | writes | a second | wrong decisions | passed unjudged | refused unjudged | API server away | recovery |',
    '|---|---|---|---|---|---|---|---|',
    ...reports.map(({ fault, writes, perSecond, counts: { wrong, open, closed, away }, recoveryMs }) => {
      const recovery = recoveryMs === 0 ? 'none needed' : `${(recoveryMs / 1000).toFixed(1)} s`;
      return `| ${[fault, writes, perSecond.toFixed(0), wrong, open, closed, away, recovery].join(' | ')} |`;
    }),
  ].join('\n');
