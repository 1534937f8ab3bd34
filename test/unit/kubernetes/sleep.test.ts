import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createWakeableSleep, sleep } from '../../../src/kubernetes/sleep.ts';

/** Longer than the test may last: a sleep that is not cut short fails it. */
const LONG_MS = 60_000;
const never = (): AbortSignal => new AbortController().signal;

describe('a sleep', { timeout: 10_000 }, () => {
  test('ends after its time', () => sleep(1, never()));

  test('ends without an error when its signal fires, before it or during it', async () => {
    await sleep(LONG_MS, AbortSignal.abort());
    const stop = new AbortController();
    const sleeping = sleep(LONG_MS, stop.signal);
    stop.abort();
    await sleeping;
  });

  test('ends when it is woken, and the one after it lasts again', async () => {
    const rest = createWakeableSleep();
    const sleeping = rest.sleep(LONG_MS, never());
    rest.wake();
    await sleeping;
    const next = rest.sleep(LONG_MS, never()).then(() => 'ended');
    assert.equal(await Promise.race([next, sleep(20, never())]), undefined);
    rest.wake();
    assert.equal(await next, 'ended');
  });

  test('does not begin when it was woken before', async () => {
    const rest = createWakeableSleep();
    rest.wake();
    await rest.sleep(LONG_MS, never());
  });
});
