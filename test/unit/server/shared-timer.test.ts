import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSharedTimer } from '../../../src/server/shared-timer.ts';

test('each callback comes once and not before its time, or never when it was cancelled', async () => {
  const start = createSharedTimer(5);
  const startMs = performance.now();
  const calls: [name: string, afterMs: number][] = [];
  const begin = (name: string, afterMs: number): (() => void) =>
    start(afterMs, () => calls.push([name, performance.now() - startMs]));
  begin('long', 60);
  begin('short', 20);
  const cancel = begin('cancelled', 30);
  cancel();
  cancel();
  while (calls.length < 2) await sleep(5);
  begin('later', 10);
  while (calls.length < 3) await sleep(5);
  await sleep(20);
  assert.deepEqual(
    calls.map(([name]) => name),
    ['short', 'long', 'later'],
  );
  for (const [index, dueMs] of [20, 60, 70].entries()) assert.ok((calls[index]?.[1] ?? 0) >= dueMs, String(calls));
});

test('it does not keep ticking when nothing waits', async () => {
  const start = createSharedTimer(1);
  start(1, () => {});
  await sleep(30);
  assert.equal(process.getActiveResourcesInfo().includes('Timeout'), false);
});
