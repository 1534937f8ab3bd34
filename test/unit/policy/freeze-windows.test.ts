// Longer than 200 lines: a table of windows around clock changes, and a model that checks it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type FreezePeriod, nextWindow, policyFreezes, windowInForce } from '../../../src/policy/freeze-windows.ts';
import type { FreezeWindow } from '../../../src/policy/policy.ts';
import { builtInPolicy } from '../../../src/policy/policy-in-force.ts';
import { parseSchedule } from '../../../src/policy/schedule.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const at = (time: string): number => Date.parse(time);
const show = (ms: number | undefined): string =>
  ms === undefined ? 'none' : new Date(ms).toISOString().replace(':00.000Z', 'Z');

const window = (schedule: string, durationMs: number, timeZone: string): FreezeWindow => ({
  schedule,
  durationMs,
  timeZone,
  reason: 'weekend',
});

/** The period in force at a time, as start/end, and when the next one begins. */
const cases: Record<
  string,
  readonly [schedule: string, durationMs: number, zone: string, nowAndThen: Readonly<Record<string, string>>]
> = {
  'a weekend': [
    '0 16 * * FRI',
    64 * HOUR_MS,
    'Europe/Berlin',
    {
      '2026-11-20T14:59Z': 'closed, opens 2026-11-20T15:00Z',
      '2026-11-20T15:00Z': '2026-11-20T15:00Z/2026-11-23T07:00Z, opens 2026-11-27T15:00Z',
      '2026-11-23T06:59Z': '2026-11-20T15:00Z/2026-11-23T07:00Z, opens 2026-11-27T15:00Z',
      '2026-11-23T07:00Z': 'closed, opens 2026-11-27T15:00Z',
    },
  ],
  'a weekend in which the clock goes forward: 64 hours that pass, until 9 on Monday': [
    '0 16 * * FRI',
    64 * HOUR_MS,
    'Europe/Berlin',
    { '2026-03-28T12:00Z': '2026-03-27T15:00Z/2026-03-30T07:00Z, opens 2026-04-03T14:00Z' },
  ],
  'a weekend in which the clock goes back: until 7 on Monday': [
    '0 16 * * FRI',
    64 * HOUR_MS,
    'Europe/Berlin',
    { '2026-10-24T12:00Z': '2026-10-23T14:00Z/2026-10-26T06:00Z, opens 2026-10-30T15:00Z' },
  ],
  'a time that Berlin skips: the moment after': [
    '30 2 * * *',
    HOUR_MS,
    'Europe/Berlin',
    {
      '2026-03-29T00:59Z': 'closed, opens 2026-03-29T01:00Z',
      '2026-03-29T01:00Z': '2026-03-29T01:00Z/2026-03-29T02:00Z, opens 2026-03-30T00:30Z',
    },
  ],
  'a time that Berlin has twice: the first': [
    '30 2 * * *',
    HOUR_MS,
    'Europe/Berlin',
    {
      '2026-10-25T00:29Z': 'closed, opens 2026-10-25T00:30Z',
      '2026-10-25T00:30Z': '2026-10-25T00:30Z/2026-10-25T01:30Z, opens 2026-10-26T01:30Z',
      '2026-10-25T01:30Z': 'closed, opens 2026-10-26T01:30Z',
    },
  ],
  'a list of times, one of them skipped': [
    '30 2,14 * * *',
    HOUR_MS,
    'America/New_York',
    { '2026-03-08T07:10Z': '2026-03-08T07:00Z/2026-03-08T08:00Z, opens 2026-03-08T18:30Z' },
  ],
  'a time that New York has twice': [
    '30 1 * * *',
    30 * MINUTE_MS,
    'America/New_York',
    {
      '2026-11-01T05:45Z': '2026-11-01T05:30Z/2026-11-01T06:00Z, opens 2026-11-02T06:30Z',
      '2026-11-01T06:45Z': 'closed, opens 2026-11-02T06:30Z',
    },
  ],
  'half an hour that Lord Howe skips': [
    '15 2 * * *',
    HOUR_MS,
    'Australia/Lord_Howe',
    { '2026-10-03T15:45Z': '2026-10-03T15:30Z/2026-10-03T16:30Z, opens 2026-10-04T15:15Z' },
  ],
  'half an hour that Lord Howe has twice': [
    '45 1 * * *',
    10 * MINUTE_MS,
    'Australia/Lord_Howe',
    {
      '2026-04-04T14:50Z': '2026-04-04T14:45Z/2026-04-04T14:55Z, opens 2026-04-05T15:15Z',
      '2026-04-04T15:20Z': 'closed, opens 2026-04-05T15:15Z',
    },
  ],
  'every hour, over a clock change: every hour that passes': [
    '0 * * * *',
    10 * MINUTE_MS,
    'Europe/Berlin',
    {
      '2026-03-29T00:30Z': 'closed, opens 2026-03-29T01:00Z',
      '2026-10-25T00:30Z': 'closed, opens 2026-10-25T01:00Z',
      '2026-10-25T01:05Z': '2026-10-25T01:00Z/2026-10-25T01:10Z, opens 2026-10-25T02:00Z',
    },
  ],
  // The clock jumps over midnight, so the day has no such time, and no period begins.
  'a time that Nuuk skips over midnight': [
    '30 23 * * SAT',
    HOUR_MS,
    'America/Nuuk',
    { '2026-03-29T01:00Z': 'closed, opens 2026-04-05T00:30Z' },
  ],
  'runs that adjoin are one window': [
    '0 9-17 * * MON-FRI',
    HOUR_MS,
    'UTC',
    {
      '2026-11-20T09:00Z': '2026-11-20T09:00Z/2026-11-20T18:00Z, opens 2026-11-23T09:00Z',
      '2026-11-20T17:30Z': '2026-11-20T09:00Z/2026-11-20T18:00Z, opens 2026-11-23T09:00Z',
    },
  ],
  'runs that overlap are one window': [
    '* 16 * * FRI',
    64 * HOUR_MS,
    'UTC',
    { '2026-11-21T00:00Z': '2026-11-20T16:00Z/2026-11-23T08:59Z, opens 2026-11-27T16:00Z' },
  ],
  'a window of a day that comes daily has a gap where the day is longer': [
    '0 0 * * *',
    DAY_MS,
    'Europe/Berlin',
    {
      '2026-10-24T12:00Z':
        /* since spring, further back than is looked */ '2026-09-03T22:00Z/2026-10-25T22:00Z, opens 2026-10-25T23:00Z',
      '2026-10-25T22:30Z': 'closed, opens 2026-10-25T23:00Z',
    },
  ],
  'a window that never closes has no end': [
    '*/5 * * * *',
    5 * MINUTE_MS,
    'UTC',
    { '2026-11-20T12:02Z': '2026-11-20T07:50Z/none, opens none' },
  ],
};

describe('a freeze window', () => {
  for (const [name, [schedule, durationMs, zone, expected]] of Object.entries(cases)) {
    test(name, () => {
      const asked = window(schedule, durationMs, zone);
      for (const [now, answer] of Object.entries(expected)) {
        const open = windowInForce(asked, at(now));
        const state = open === undefined ? 'closed' : `${show(open.startMs)}/${show(open.endMs)}`;
        assert.equal(`${state}, opens ${show(nextWindow(asked, at(now)))}`, answer, now);
      }
    });
  }
});

const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC'];
/** Times around the clock changes of these zones, in past and future years. */
const CHANGES = ['2026-03-29', '2026-10-25', '2026-03-08', '2026-11-01', '2026-10-04', '2026-04-05', '2031-03-30'];

const anyWindow = fc
  .record({
    minute: fc.constantFrom('0', '15', '30', '45', '0,30', '*/20'),
    hour: fc.constantFrom('*', '0', '1', '2', '2', '3', '1,2', '2-3', '23', '*/3'),
    day: fc.constantFrom('*', '*', 'SUN', 'SAT,SUN', 'FRI'),
    durationMs: fc.oneof(
      fc.constantFrom(10, 20, 30, 60, 90, 24 * 60, 64 * 60).map((minutes) => minutes * MINUTE_MS),
      fc.integer({ min: 1000, max: 2 * DAY_MS }),
    ),
    zone: fc.constantFrom(...ZONES),
  })
  .map(({ minute, hour, day, durationMs, zone }) => window(`${minute} ${hour} * * ${day}`, durationMs, zone));

const anyMoment = fc
  .record({
    day: fc.constantFrom(...CHANGES),
    offsetMs: fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS }),
    odd: fc.boolean(),
  })
  .map(
    ({ day, offsetMs, odd }) =>
      at(`${day}T00:00Z`) + (odd ? offsetMs : Math.round(offsetMs / MINUTE_MS / 15) * 15 * MINUTE_MS),
  );

/** A simple model: it goes through all starts until one covers the moment. */
const isOpenPlainly = ({ schedule, durationMs, timeZone }: FreezeWindow, nowMs: number): boolean => {
  const starts = parseSchedule(schedule, timeZone);
  assert.ok(starts);
  let startMs = starts.nextStart(nowMs - durationMs - 3 * HOUR_MS);
  while (startMs !== undefined && startMs <= nowMs) {
    if (nowMs < startMs + durationMs) return true;
    startMs = starts.nextStart(startMs);
  }
  return false;
};

/** Whether a period has more than MAX_RUNS runs. Its known start and end then depend on the moment of the question. */
const isFar = ({ schedule, timeZone }: FreezeWindow, { startMs, endMs }: FreezePeriod): boolean => {
  if (endMs === undefined) return true;
  const starts = parseSchedule(schedule, timeZone);
  let runs = 0;
  for (let ms = starts?.nextStart(startMs - 1000); ms !== undefined && ms < endMs; ms = starts?.nextStart(ms)) {
    runs += 1;
    if (runs > 40) return true;
  }
  return false;
};

describe('any window, around any change of the clock', () => {
  test('is in force from its start until its end, with one answer for every moment of a period', () => {
    fc.assert(
      fc.property(anyWindow, anyMoment, fc.double({ min: 0, max: 1, noNaN: true }), (asked, nowMs, part) => {
        const open = windowInForce(asked, nowMs);
        assert.equal(open !== undefined, isOpenPlainly(asked, nowMs));
        if (open === undefined) return;
        const { startMs, endMs } = open;
        assert.ok(startMs <= nowMs && nowMs < (endMs ?? Number.POSITIVE_INFINITY));
        if (endMs === undefined || isFar(asked, open)) return;
        const between = Math.floor(startMs + part * (endMs - startMs - 1));
        for (const ms of [startMs, between, endMs - 1])
          assert.deepEqual(windowInForce({ ...asked }, ms), open, show(ms));
        for (const ms of [startMs - 1, endMs]) assert.equal(windowInForce({ ...asked }, ms), undefined, show(ms));
      }),
      { numRuns: 300 },
    );
  });

  test('is not in force before its next period begins', () => {
    fc.assert(
      fc.property(anyWindow, anyMoment, fc.double({ min: 0, max: 1, noNaN: true }), (asked, nowMs, part) => {
        const nextMs = nextWindow(asked, nowMs);
        if (nextMs === undefined) return;
        assert.equal(windowInForce({ ...asked }, nextMs)?.startMs, nextMs);
        const closedMs = windowInForce(asked, nowMs)?.endMs ?? nowMs;
        const between = Math.floor(closedMs + part * (nextMs - closedMs - 1));
        for (const ms of [between, nextMs - 1]) assert.equal(windowInForce({ ...asked }, ms), undefined, show(ms));
      }),
      { numRuns: 300 },
    );
  });

  test('gives the same answer whatever it was asked before', () => {
    fc.assert(
      fc.property(anyWindow, fc.array(anyMoment, { minLength: 2, maxLength: 6 }), (asked, moments) => {
        for (const ms of moments) {
          const [remembered, fresh] = [windowInForce(asked, ms), windowInForce({ ...asked }, ms)];
          assert.equal(remembered === undefined, fresh === undefined);
          if (fresh !== undefined && !isFar(asked, fresh)) assert.deepEqual(remembered, fresh);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the freezes of a policy', () => {
  const policy = (reason: string | undefined, windows: readonly FreezeWindow[]) => {
    const builtIn = builtInPolicy(600_000);
    return { ...builtIn, freeze: { ...builtIn.freeze, reason, windows } };
  };
  const friday = window('0 16 * * FRI', 64 * HOUR_MS, 'UTC');
  const saturday = { ...window('0 0 * * SAT', DAY_MS, 'UTC'), reason: 'no on-call' };
  const now = at('2026-11-21T12:00Z');

  test('are none where the policy states none', () => assert.deepEqual(policyFreezes(policy(undefined, []), now), []));
  test('are its reason, without an end, and every window in force, with its end', () => {
    assert.deepEqual(policyFreezes(policy('black friday', [friday, saturday]), now), [
      { reason: 'black friday', untilMs: undefined },
      { reason: 'weekend', untilMs: at('2026-11-23T08:00Z') },
      { reason: 'no on-call', untilMs: at('2026-11-22T00:00Z') },
    ]);
    assert.deepEqual(policyFreezes(policy(undefined, [friday, saturday]), at('2026-11-25T00:00Z')), []);
  });

  test('are found once, and remembered for as long as they hold', () => {
    assert.equal(windowInForce(friday, now), windowInForce(friday, now + 1));
    assert.notEqual(windowInForce(friday, now), windowInForce(friday, now + 7 * DAY_MS));
  });
});
