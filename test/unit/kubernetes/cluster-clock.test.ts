import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClusterClock } from '../../../src/kubernetes/cluster-clock.ts';

const NOON_MS = Date.parse('2026-11-21T12:00:00Z');
const HOUR_MS = 3_600_000;

/** A machine that has been up for a day. The test sets its clock. */
const start = (wallMs: number) => {
  const machine = { wallMs, upMs: 24 * HOUR_MS };
  const clock = createClusterClock(
    () => machine.wallMs,
    () => machine.upMs,
  );
  const pass = (ms: number): void => {
    machine.wallMs += ms;
    machine.upMs += ms;
  };
  /** An answer that took 20 ms. The API server wrote the date at the end of them. */
  const answer = (serverMs: number): void => {
    const sentAtMs = machine.upMs;
    pass(20);
    clock.observe(new Date(serverMs).toUTCString(), sentAtMs);
  };
  return { machine, clock, pass, answer };
};

test('the clock of this machine counts until the API server has sent a date', () => {
  const { clock, pass } = start(NOON_MS);
  pass(1_500);
  assert.equal(clock.nowMs(), NOON_MS + 1_500);
});

for (const [what, byMs] of [
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
] as const) {
  test(`a clock that is an hour ${what} is corrected by the first answer`, () => {
    const { clock, answer } = start(NOON_MS + byMs);
    answer(NOON_MS + 20);
    assert.ok(Math.abs(clock.nowMs() - (NOON_MS + 20)) <= 1_020, new Date(clock.nowMs()).toISOString());
  });

  test(`a clock that is set to be an hour ${what} changes nothing`, () => {
    const { machine, clock, answer, pass } = start(NOON_MS);
    machine.wallMs += byMs;
    assert.equal(clock.nowMs(), NOON_MS);
    pass(5_000);
    answer(NOON_MS + 5_020);
    assert.equal(clock.nowMs(), NOON_MS + 5_020);
  });
}

test('a clock that is right is not changed, though dates have whole seconds', () => {
  const { clock, answer, pass } = start(NOON_MS + 990);
  for (let turn = 0; turn < 10; turn += 1) {
    const before = clock.nowMs();
    answer(before + 20);
    assert.equal(clock.nowMs(), before + 20);
    pass(333);
  }
});

test('an answer without a date that can be read changes nothing', () => {
  const { clock } = start(NOON_MS);
  for (const date of [null, '', 'yesterday']) clock.observe(date, 0);
  assert.equal(clock.nowMs(), NOON_MS);
});
