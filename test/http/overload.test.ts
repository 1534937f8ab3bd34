import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as requestHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Express } from 'express';
import request from 'supertest';
import type { Recognise } from '../../src/admission/recognised-review.ts';
import type { Review } from '../../src/admission/wire/review.ts';
import { Overload } from '../../src/kubernetes/overload.ts';
import type { StartTimer } from '../../src/server/shared-timer.ts';
import { admissionReview } from './admission-review.ts';
import { allowed, createTestApp } from './test-app.ts';

interface Answer {
  readonly allowed: boolean;
  readonly warnings?: readonly string[];
  readonly status?: { readonly message: string; readonly details: { readonly causes: readonly { reason: string }[] } };
}

/** The answer in one word, as a user would notice it. */
const fateOf = ({ allowed: passed, warnings, status }: Answer): string => {
  if (!passed)
    return `${status?.details.causes[0]?.reason}: ${/too many/.test(status?.message ?? '') ? 'too many' : ''}`;
  return warnings === undefined ? 'judged' : 'passed unchecked';
};

/** A large review, of 100 KB. */
const PAYLOAD = 'x'.repeat(100_000);
const objectOf = (name: string, payload: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'shop' },
  data: { release: payload },
});
const recognise: Recognise = (review) => ({
  ...review,
  reviewKind: review.name.startsWith('record') ? 'record' : 'object',
  aspects: [],
});

const ask = async (app: Express, name: string, payload = '', operation: 'UPDATE' | 'DELETE' = 'UPDATE') => {
  const object = objectOf(name, payload);
  const { body } = await request(app)
    .post('/validate?timeout=10s')
    .send(admissionReview({ name, operation, object: operation === 'DELETE' ? null : object, oldObject: object }))
    .expect(200);
  return fateOf(body.response as Answer);
};

/** An app whose judge waits until it is told to go on, for names that end in `held`. */
const createHeldApp = (maxJudgedBytes: number) => {
  const go = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const judge = async ({ name }: Review) => {
    if (name.endsWith('held')) {
      begun.resolve();
      await go.promise;
    }
    return allowed;
  };
  return { ...createTestApp({ admit: judge, recognise, maxJudgedBytes }), go, begun };
};

describe('while as many large reviews are judged as there is memory for', () => {
  const cases = [
    ['a large record is refused', 'record', PAYLOAD, 'UPDATE', 'BelayUnavailable: too many'],
    ['a large object passes, with a word that it was not checked', 'object', PAYLOAD, 'UPDATE', 'passed unchecked'],
    ['the DELETE of a large object is refused', 'object', PAYLOAD, 'DELETE', 'BelayUnavailable: too many'],
    ['a small record is judged', 'record', '', 'UPDATE', 'judged'],
    ['a small object is judged', 'object', '', 'UPDATE', 'judged'],
  ] as const;
  for (const [what, name, payload, operation, fate] of cases) {
    test(what, async () => {
      const { app, metrics, lines, go, begun } = createHeldApp(PAYLOAD.length * 3);
      const held = ask(app, 'record-held', PAYLOAD);
      await begun.promise;
      assert.equal(await ask(app, name, payload, operation), fate);
      const text = await metrics.registry.metrics();
      const unjudged = `belay_reviews_without_verdict_total{kind="${name}",reason="overload"} 1`;
      assert.equal(text.includes(unjudged), fate !== 'judged');
      assert.ok(Number(/^belay_body_bytes (\d+)$/m.exec(text)?.[1]) > PAYLOAD.length);
      go.resolve();
      assert.equal(await held, 'judged');
      assert.equal(await ask(app, name, payload, operation), 'judged', 'when it is over');
      assert.match(await metrics.registry.metrics(), /^belay_body_bytes 0$/m);
      assert.deepEqual(
        lines.filter(({ level }) => level !== 'info'),
        [],
      );
    });
  }
});

test('memory is given back where the judge fails', async () => {
  const broken = () => Promise.reject(new Error('broken'));
  const throwing = () => {
    throw new Error('broken');
  };
  for (const admit of [broken, throwing]) {
    const { app, metrics } = createTestApp({ admit, recognise, maxJudgedBytes: PAYLOAD.length * 3 });
    for (let round = 0; round < 3; round += 1) assert.equal(await ask(app, 'record', PAYLOAD), 'BelayUnavailable: ');
    assert.match(await metrics.registry.metrics(), /^belay_body_bytes 0$/m);
  }
});

test('a full queue is answered as an overload, not as a failure of Belay', async () => {
  const admit = () => Promise.reject(new Overload('64 payloads wait to be decoded'));
  const { app, metrics, lines } = createTestApp({ admit, recognise });
  assert.equal(await ask(app, 'record'), 'BelayUnavailable: too many');
  assert.equal(await ask(app, 'object'), 'passed unchecked');
  assert.equal(await ask(app, 'object', '', 'DELETE'), 'BelayUnavailable: too many');
  assert.deepEqual([...new Set(lines.map(({ level }) => level))], ['info']);
  assert.match(await metrics.registry.metrics(), /reviews_without_verdict_total\{kind="object",reason="overload"\} 2/);
});

test('the deadline counts from the time at which a body begins to arrive', async () => {
  const timers: number[] = [];
  const startTimer: StartTimer = (afterMs) => {
    timers.push(afterMs);
    return () => {};
  };
  const admit = async () => {
    await sleep(1);
    return allowed;
  };
  const { app } = createTestApp({ admit, startTimer });
  const server = app.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const headers = { 'content-type': 'application/json' };
    const sent = requestHttp({ port, host: '127.0.0.1', method: 'POST', path: '/validate?timeout=3s', headers });
    const text = JSON.stringify(admissionReview());
    const arrived = once(server, 'request');
    sent.write(text.slice(0, 10));
    await arrived;
    await sleep(400);
    sent.end(text.slice(10));
    const [response] = await once(sent, 'response');
    response.resume();
    await once(response, 'end');
    const [withinMs = Number.NaN] = timers;
    assert.ok(withinMs <= 2500 - 300, `${withinMs} ms`);
  } finally {
    server.close();
  }
});
