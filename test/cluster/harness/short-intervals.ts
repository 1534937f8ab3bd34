import type { Intervals } from '../../../src/intervals/intervals.ts';

/** What a test of the control plane runs with: `short`, or `shipped` where the shipped intervals are what is tested, or shown to a person. */
export type IntervalChoice = 'short' | 'shipped';

/**
 * Short enough that nobody waits, and long enough that a process which the machine holds up for some seconds is not taken for dead. What is
 * left out is as shipped: nothing waits for it, or a test asserts it (one Event a minute).
 */
export const SHORT_INTERVALS = {
  claims: { sweepEveryMs: 2_000, orphanAfterMs: 12_000, shortestSilenceMs: 8_000 },
  mirrors: { lastBackoffMs: 500, missingPauseMs: 200 },
  election: { leaseMs: 5_000, renewDeadlineMs: 3_500, retryMs: 700 },
  sweep: {
    settleMs: 500,
    lookEveryMs: 500,
    overtakenMs: 2_000,
    failedMs: 10_000,
    askEveryMs: 2_000,
    forbiddenMs: 5_000,
  },
  discovery: { retryUnknownMs: 2_000 },
  stores: { retryAfterMs: 2_000 },
  policyStatus: { countEveryMs: 1_000, settleMs: 100, restMs: 200 },
  events: { retryAfterMs: 500 },
  certificates: { lastBackoffMs: 2_000 },
  lock: {
    silenceMs: 10_000,
    renewEveryMs: 2_000,
    nextPollMs: 200,
    pollMs: 500,
    claimLookEveryMs: 300,
    conditionEveryMs: 300,
    firstRecoveryRetryMs: 1_000,
    lastRecoveryRetryMs: 4_000,
    firstCommandRetryMs: 500,
    lastCommandRetryMs: 4_000,
    outageMs: 10_000,
    outageRetryEveryMs: 300,
    stepSlackMs: 3_000,
  },
} satisfies { readonly [Name in keyof Intervals]?: Partial<Intervals[Name]> };

/** The variable by which a process of Belay, or of `helm lock`, is told. */
export const intervalsEnvironment = (choice: IntervalChoice): Readonly<Record<string, string>> =>
  choice === 'short' ? { BELAY_INTERVALS: JSON.stringify(SHORT_INTERVALS) } : {};
