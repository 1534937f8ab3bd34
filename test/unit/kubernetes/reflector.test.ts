import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_INTERVALS } from '../../../src/intervals/intervals.ts';
import { type Api, ApiError, type WatchEvent, type WatchRequest } from '../../../src/kubernetes/api.ts';
import type { ReflectorSink } from '../../../src/kubernetes/mirror.ts';
import { createReflector } from '../../../src/kubernetes/reflector.ts';
import { createLog } from '../../../src/telemetry/log.ts';

/** When a mirror counts as stale. A real API server is in test/cluster/faults.test.ts. */

const log = createLog({ write: () => true });
const sink: ReflectorSink<object> = {
  read: (object) => object,
  replace: () => undefined,
  upsert: () => undefined,
  remove: () => undefined,
};
const bookmark: WatchEvent = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '2' } } };

interface Watch {
  readonly request: WatchRequest;
  /** Sends an event, or ends the watch by an error. */
  send(next: WatchEvent | Error): void;
}

/** A reflector. The test holds each of its watches, and sets its clock. */
const start = ({ quietMs = 60_000, refuse = (): boolean => false } = {}) => {
  let nowMs = 1_000;
  const watches: Watch[] = [];
  const lists: number[] = [];
  const api: Api = {
    request: async <T>() => {
      if (refuse()) throw new ApiError(0, 'Unreachable', 'no answer');
      lists.push(nowMs);
      return { metadata: { resourceVersion: '1' }, items: [] } as T;
    },
    watch: async function* (request) {
      if (refuse()) throw new ApiError(0, 'Unreachable', 'no answer');
      const queue: (WatchEvent | Error)[] = [];
      let wake = (): void => undefined;
      const aborted = new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
      watches.push({
        request,
        send: (next) => {
          queue.push(next);
          wake();
        },
      });
      request.onOpen?.();
      while (!request.signal.aborted) {
        const next = queue.shift();
        if (next instanceof Error) throw next;
        if (next !== undefined) yield next;
        else await Promise.race([aborted, new Promise<void>((resolve) => (wake = resolve))]);
      }
      throw request.signal.reason;
    },
  };
  const reflector = createReflector(api, { path: '/x' }, sink, log, {
    intervals: { ...DEFAULT_INTERVALS.mirrors, ...(quietMs !== undefined && { quietMs }) },
    monotonicMs: () => nowMs,
  });
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  const watchNumber = async (number: number): Promise<Watch> => {
    for (;;) {
      const found = watches[number - 1];
      if (found !== undefined) return found;
      await sleep(5);
    }
  };
  return {
    reflector,
    watchNumber,
    lists,
    pass: (ms: number) => {
      nowMs += ms;
    },
    end: async () => {
      stop.abort();
      await running;
    },
  };
};

test('a mirror that was never listed is stale from the start', async () => {
  const { reflector, pass, end } = start({ refuse: () => true });
  pass(30_000);
  assert.equal(reflector.isSynced(), false);
  assert.equal(reflector.staleMs(), 30_000);
  await end();
});

test('an idle cluster does not look stale: a bookmark now and then is enough', async () => {
  const { reflector, watchNumber, pass, end } = start();
  const watch = await watchNumber(1);
  for (let minute = 0; minute < 3; minute += 1) {
    pass(59_000);
    assert.equal(reflector.staleMs(), 0);
    watch.send(bookmark);
    await sleep(5);
  }
  assert.equal(reflector.silenceMs(), 0);
  await end();
});

test('after a watch breaks off, the mirror is stale until the next watch is open, which goes on from the same version', async () => {
  let down = false;
  const { reflector, watchNumber, lists, pass, end } = start({ refuse: () => down });
  const first = await watchNumber(1);
  first.send(bookmark);
  await sleep(5);
  pass(50_000);
  down = true;
  first.send(new ApiError(0, 'Unreachable', 'reset'));
  await sleep(20);
  pass(7_000);
  // Nothing was missed in the 50 s before, while the watch was open.
  assert.equal(reflector.staleMs(), 7_000);
  down = false;
  const second = await watchNumber(2);
  assert.equal(reflector.staleMs(), 0);
  assert.equal(second.request.query?.resourceVersion, '2');
  assert.equal(lists.length, 1);
  await end();
});

test('a watch that has become silent is cut and begun again, and the mirror counts as stale since the last event', async () => {
  const { reflector, watchNumber, pass, end } = start({ quietMs: 100 });
  const first = await watchNumber(1);
  pass(101);
  assert.equal(reflector.staleMs(), 101);
  await watchNumber(2);
  assert.equal(first.request.signal.aborted, true);
  assert.equal(reflector.staleMs(), 0);
  await end();
});

test('a stale mirror is listed again on request, once for all callers', async () => {
  let down = false;
  const { reflector, watchNumber, lists, pass, end } = start({ refuse: () => down });
  const watch = await watchNumber(1);
  down = true;
  watch.send(new ApiError(0, 'Unreachable', 'reset'));
  await sleep(20);
  pass(60_000);
  await assert.rejects(reflector.refresh(), /no answer/);
  down = false;
  await Promise.all([reflector.refresh(), reflector.refresh()]);
  assert.equal(lists.length, 2);
  assert.equal(reflector.staleMs(), 0);
  await end();
});
