import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { EventToNote } from '../../../src/events/event-object.ts';
import { MAX_QUEUED } from '../../../src/events/event-queue.ts';
import { createEvents, type Events } from '../../../src/events/events.ts';
import { registerEventMetrics } from '../../../src/events/metrics.ts';
import { DEFAULT_INTERVALS } from '../../../src/intervals/intervals.ts';
import { type Api, ApiError, type ApiRequest } from '../../../src/kubernetes/api.ts';
import { createLog } from '../../../src/telemetry/log.ts';

/** Faults between Belay and the API server. test/cluster/events.test.ts has the normal case, with a real API server. */

const START_MS = Date.parse('2026-11-21T12:00:00Z');

interface Stage {
  readonly events: Events;
  readonly requests: ApiRequest[];
  readonly lines: { level: string; msg: string }[];
  readonly waits: number[];
  nowMs: number;
  /** Runs until every noted Event has been written or given up. */
  flush(): Promise<void>;
}

const stage = (answer: (request: ApiRequest) => unknown): Stage => {
  const requests: ApiRequest[] = [];
  const lines: { level: string; msg: string }[] = [];
  const waits: number[] = [];
  const api: Api = {
    request: async <T>(request: ApiRequest) => {
      requests.push(request);
      return (await answer(request)) as T;
    },
    watch: () => {
      throw new Error('nobody watches Events');
    },
  };
  const self: Stage = {
    events: createEvents({
      api,
      log: createLog({ write: (line) => lines.push(JSON.parse(line)) }, 'debug'),
      intervals: DEFAULT_INTERVALS.events,
      nowMs: () => self.nowMs,
      instance: 'belay-0',
      wait: async (ms) => {
        waits.push(ms);
        await turn();
      },
    }),
    requests,
    lines,
    waits,
    nowMs: START_MS,
    flush: async () => {
      const stop = new AbortController();
      stop.abort();
      await self.events.run(stop.signal);
    },
  };
  return self;
};

const refusal = (release = 'web', more: Partial<EventToNote> = {}): EventToNote => ({
  reason: 'DriftRefused',
  type: 'Warning',
  message: 'refused',
  release: { namespace: 'shop', name: release },
  action: 'Change',
  regarding: [
    { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: `sh.helm.release.v1.${release}.v1` },
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: release },
  ],
  ...more,
});

const failing = (status: number, message = 'no', reason = '') => {
  throw new ApiError(status, reason, message);
};

test('a refusal has an Event about the record and one about the object', async () => {
  const { events, requests, flush } = stage(() => ({}));
  events.note(refusal());
  assert.equal(requests.length, 0, 'noting does not write');
  await flush();
  assert.deepEqual(
    requests.map(({ method, path }) => `${method} ${path}`),
    ['POST /api/v1/namespaces/shop/events', 'POST /api/v1/namespaces/shop/events'],
  );
  assert.deepEqual(events.counts(), { written: 2, held: 0, dropped: { queue: 0, limit: 0, failed: 0 } });
});

test('twenty refusals in a minute are one Event each, and the next one counts them', async () => {
  const self = stage(() => ({}));
  for (let i = 0; i < 20; i += 1) self.events.note(refusal());
  await self.flush();
  assert.equal(self.requests.length, 2);
  assert.deepEqual(self.events.counts(), { written: 2, held: 38, dropped: { queue: 0, limit: 0, failed: 0 } });
  self.nowMs += 60_000;
  self.events.note(refusal());
  await self.flush();
  assert.deepEqual(
    self.requests.slice(2).map(({ body }) => (body as { count: number }).count),
    [20, 20],
  );
});

test('revisions of a release share their Event of the minute', async () => {
  const { events, requests, flush } = stage(() => ({}));
  for (const revision of [1, 2, 3]) {
    const name = `sh.helm.release.v1.web.v${revision}`;
    events.note(refusal('web', { regarding: [{ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name }] }));
  }
  await flush();
  assert.equal(requests.length, 1);
});

test('an Event for which the queue has no room is dropped and counted', async () => {
  const { events, requests, flush } = stage(() => ({}));
  const total = MAX_QUEUED + 200;
  for (let i = 0; i < total; i += 1) {
    const namespace = `n${i}`;
    const regarding = [{ apiVersion: 'v1', kind: 'Secret', namespace, name: 'sh.helm.release.v1.web.v1' }];
    events.note(refusal('web', { release: { namespace, name: 'web' }, regarding }));
  }
  assert.deepEqual(events.counts().dropped, { queue: 200, limit: 0, failed: 0 });
  await flush();
  assert.equal(requests.length, MAX_QUEUED);
});

test('ten Events a second are written', async () => {
  const { events, requests, waits } = stage(() => ({}));
  const stop = new AbortController();
  const running = events.run(stop.signal);
  for (let i = 0; i < 5; i += 1) events.note(refusal(`r${i}`));
  while (requests.length < 10) await turn();
  assert.deepEqual(waits, Array(10).fill(100));
  stop.abort();
  await running;
});

test('an Event that is noted after a pause is written', async () => {
  const { events, requests } = stage(() => ({}));
  const stop = new AbortController();
  const running = events.run(stop.signal);
  for (const release of ['a', 'b', 'c']) {
    await turn();
    events.note(refusal(release));
    await turn();
  }
  while (requests.length < 6) await turn();
  stop.abort();
  await running;
});

test('the end does not wait for an API server that does not answer', { timeout: 10_000 }, async () => {
  const unanswered = ({ signal }: ApiRequest) =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new ApiError(0, 'Unreachable', 'x'))));
  const { events } = stage(unanswered);
  for (const release of ['a', 'b', 'c']) events.note(refusal(release));
  const stop = new AbortController();
  const running = events.run(stop.signal);
  const startMs = performance.now();
  stop.abort();
  await running;
  assert.ok(performance.now() - startMs < 3_000);
  assert.deepEqual(events.counts(), { written: 0, held: 0, dropped: { queue: 0, limit: 0, failed: 6 } });
});

describe('an Event that the API server does not accept', () => {
  const one = refusal('web', { regarding: refusal().regarding.slice(0, 1) });

  test('because its namespace is deleted or being deleted: nobody is told', async () => {
    for (const answer of [
      () => failing(404, 'namespaces "shop" not found', 'NotFound'),
      () => failing(403, 'unable to create new content in namespace shop because it is being terminated', 'Forbidden'),
    ]) {
      const { events, lines, requests, flush } = stage(answer);
      events.note(one);
      await flush();
      assert.equal(requests.length, 1);
      assert.deepEqual(
        lines.map(({ level }) => level),
        ['debug'],
      );
      assert.equal(events.counts().dropped.failed, 1);
    }
  });

  test('because a right is missing: the log says so once a minute', async () => {
    const self = stage(() => failing(403, 'events is forbidden', 'Forbidden'));
    for (let i = 0; i < 10; i += 1) self.events.note(refusal(`r${i}`));
    await self.flush();
    const warnings = () => self.lines.filter(({ level }) => level === 'warn').length;
    assert.equal(warnings(), 1);
    self.nowMs += 60_000;
    self.events.note(refusal());
    await self.flush();
    assert.equal(warnings(), 2);
    assert.equal(self.events.counts().dropped.failed, 22);
  });

  test('for a short time: it is tried again', async () => {
    let failures = 0;
    const answer = () => {
      failures += 1;
      if (failures <= 2) failing(failures === 1 ? 0 : 503);
      return {};
    };
    const { events, requests } = stage(answer);
    const stop = new AbortController();
    const running = events.run(stop.signal);
    events.note(one);
    while (events.counts().written === 0) await turn();
    assert.equal(requests.length, 3);
    stop.abort();
    await running;
  });

  test('for a longer time: it is given up', async () => {
    const { events, requests } = stage(() => failing(500));
    const stop = new AbortController();
    const running = events.run(stop.signal);
    events.note(one);
    while (events.counts().dropped.failed === 0) await turn();
    assert.equal(requests.length, 3);
    stop.abort();
    await running;
  });
});

describe('an Event of another replica', () => {
  const stored = (lastMs: number, count?: number) => ({
    metadata: { resourceVersion: '7' },
    lastTimestamp: new Date(lastMs).toISOString(),
    count,
  });
  const one = refusal('web', { regarding: refusal().regarding.slice(0, 1) });
  const answerWith =
    (event: object, patch: () => unknown = () => ({})) =>
    ({ method = 'GET' }: ApiRequest) =>
      method === 'POST' ? failing(409, 'there is one', 'AlreadyExists') : method === 'GET' ? event : patch();

  test('from a minute ago is added to', async () => {
    const { events, requests, flush } = stage(answerWith(stored(START_MS - 60_000, 4)));
    events.note(one);
    await flush();
    const { method, body, contentType } = requests.at(-1) ?? {};
    assert.equal(method, 'PATCH');
    assert.equal(contentType, 'application/merge-patch+json');
    assert.deepEqual(body, {
      metadata: { resourceVersion: '7' },
      message: 'refused',
      lastTimestamp: '2026-11-21T12:00:00Z',
      count: 5,
      reportingInstance: 'belay-0',
    });
    assert.equal(events.counts().written, 1);
  });

  test('from less than a minute ago is left alone, and the next Event counts the occurrence', async () => {
    let event = stored(START_MS - 59_000, 4);
    const self = stage((request) => answerWith(event)(request));
    self.events.note(one);
    await self.flush();
    assert.equal(self.requests.at(-1)?.method ?? 'GET', 'GET');
    assert.deepEqual(self.events.counts(), { written: 0, held: 1, dropped: { queue: 0, limit: 0, failed: 0 } });
    event = stored(START_MS - 59_000, 4);
    self.nowMs += 60_000;
    self.events.note(one);
    await self.flush();
    assert.partialDeepStrictEqual(self.requests.at(-1)?.body, { count: 6 });
  });

  test('that is being written at the same moment is left alone', async () => {
    const { events, lines, flush } = stage(answerWith(stored(0), () => failing(409, 'changed', 'Conflict')));
    events.note(one);
    await flush();
    assert.equal(events.counts().held, 1);
    assert.deepEqual(lines, []);
  });

  test('from a clock that is an hour ahead is added to', async () => {
    const { events, flush } = stage(answerWith(stored(START_MS + 3_600_000, 1)));
    events.note(one);
    await flush();
    assert.equal(events.counts().written, 1);
  });
});

test('noting an Event never throws', () => {
  const { events } = stage(() => ({}));
  events.note(refusal('web', { message: undefined as unknown as string }));
  events.note(undefined as unknown as EventToNote);
  assert.equal(events.counts().dropped.failed, 2);
});

test('metrics count the Events that were written, held back and dropped', async () => {
  const { events, flush } = stage(() => ({}));
  const registry = new Registry();
  registerEventMetrics(registry, events);
  for (let i = 0; i < 3; i += 1) events.note(refusal());
  await flush();
  await registry.metrics(); // a second scrape does not count twice
  const text = await registry.metrics();
  for (const line of [
    'belay_events_written_total 2',
    'belay_events_held_total 4',
    'belay_events_dropped_total{cause="queue"} 0',
    'belay_events_dropped_total{cause="limit"} 0',
    'belay_events_dropped_total{cause="failed"} 0',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line} in ${text}`);
  }
});
