import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import request from 'supertest';
import type { ReviewKind } from '../../src/admission/wire/answer.ts';
import type { Operation } from '../../src/admission/wire/review.ts';
import type { StartTimer } from '../../src/server/shared-timer.ts';
import { admissionReview } from './admission-review.ts';
import { allowed, createTestApp } from './test-app.ts';

/** The answers to reviews that no rule has answered. */
const fates: readonly (readonly [kind: ReviewKind, operation: Operation, fate: 'denied' | 'allowed'])[] = [
  ['record', 'CREATE', 'denied'],
  ['record', 'UPDATE', 'denied'],
  ['namespace', 'UPDATE', 'denied'],
  ['namespace', 'DELETE', 'denied'],
  ['claim', 'UPDATE', 'denied'],
  ['object', 'UPDATE', 'allowed'],
  ['object', 'DELETE', 'denied'],
  ['scale', 'UPDATE', 'allowed'],
  ['hook', 'CREATE', 'allowed'],
  ['hook', 'DELETE', 'denied'],
  ['policy', 'UPDATE', 'allowed'],
  ['unknown', 'CONNECT', 'allowed'],
];

interface Answer {
  readonly uid: string;
  readonly allowed: boolean;
  readonly warnings?: string[];
  readonly auditAnnotations?: Record<string, string>;
  readonly status?: { code: number; message: string; details: { causes: { reason: string }[] } };
}

const assertFate = (answer: Answer, fate: 'denied' | 'allowed', cause: string, words: RegExp): void => {
  assert.equal(answer.uid, 'uid-1');
  assert.equal(answer.allowed, fate === 'allowed');
  if (fate === 'denied') {
    assert.equal(answer.status?.code, 403);
    assert.equal(answer.status?.details.causes[0]?.reason, 'BelayUnavailable');
    assert.match(answer.status?.message ?? '', words);
  } else {
    assert.match(answer.warnings?.[0] ?? '', words);
    assert.deepEqual(answer.auditAnnotations, { unchecked: cause });
  }
};

test('writes of objects are refused with `--objects-fail closed`', async () => {
  for (const kind of ['object', 'scale'] as const) {
    const broken = () => Promise.reject(new Error('broken'));
    const { app } = createTestApp({ admit: broken, objectsFail: 'closed' }, kind);
    const { body } = await request(app)
      .post('/validate')
      .send(admissionReview({ operation: 'UPDATE' }));
    assertFate((body as { response: Answer }).response, 'denied', 'failure', /something went wrong/);
  }
});

describe('at the deadline', () => {
  for (const path of ['/validate', '/mutate']) {
    for (const [kind, operation, fate] of fates) {
      test(`${path}: the ${operation} of a ${kind} is ${fate}, and its work is called off`, async () => {
        const timers: number[] = [];
        const expireAtOnce: StartTimer = (afterMs, callback) => {
          timers.push(afterMs);
          setImmediate(callback);
          return () => {};
        };
        let signalled: AbortSignal | undefined;
        const hang = (_review: unknown, { signal }: { signal: AbortSignal }) => {
          signalled = signal;
          return new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        };
        const { app, metrics, lines } = createTestApp({ admit: hang, mutate: hang, startTimer: expireAtOnce }, kind);
        const { body } = await request(app).post(`${path}?timeout=3s`).send(admissionReview({ operation })).expect(200);
        assertFate(body.response, fate, 'deadline', /in time/);
        const [withinMs = 0, ...others] = timers;
        assert.ok(withinMs > 0 && withinMs <= 2500, `${withinMs} ms`);
        assert.deepEqual(others, []);
        assert.equal(signalled?.aborted, true);
        assert.equal(lines.length, 1);
        const text = await metrics.registry.metrics();
        assert.ok(text.includes(`belay_review_deadline_total{kind="${kind}"} 1`));
        assert.ok(text.includes(`belay_reviews_without_verdict_total{kind="${kind}",reason="deadline"} 1`));
      });
    }
  }
});

describe('when a judge fails', () => {
  const throwing = {
    'with a rejection': async () => {
      throw Object.assign(new Error('boom'), { body: 'c2VjcmV0', data: 'c2VjcmV0' });
    },
    'before it gave a promise': () => {
      throw new Error('boom');
    },
  };
  for (const [how, judge] of Object.entries(throwing)) {
    for (const [kind, operation, fate] of fates) {
      test(`${how}: the ${operation} of a ${kind} is ${fate}, and the stack is logged without the payload`, async () => {
        const { app, lines } = createTestApp({ admit: judge }, kind);
        const { body } = await request(app).post('/validate').send(admissionReview({ operation })).expect(200);
        assertFate(body.response, fate, 'failure', /went wrong/);
        const text = JSON.stringify(lines);
        assert.match(text, /boom/);
        assert.match(text, /without-verdict\.test\.ts/);
        assert.doesNotMatch(text, /c2VjcmV0/);
        assert.doesNotMatch(JSON.stringify(body), /boom/);
      });
    }
  }
});

test('one review more than are judged at once is answered without a verdict, and the others are judged', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let started = (): void => {};
  const first = new Promise<void>((resolve) => {
    started = resolve;
  });
  const admit = async () => {
    started();
    await held;
    return allowed;
  };
  const { app } = createTestApp({ admit, maxConcurrent: 1 });
  const server = app.listen(0, '127.0.0.1');
  try {
    const slow = request(server).post('/validate').send(admissionReview()).then();
    await first;
    const { body } = await request(server).post('/validate').send(admissionReview()).expect(200);
    assertFate(body.response, 'allowed', 'overload', /too many/);
    release();
    assert.deepEqual((await slow).body.response, { uid: 'uid-1', allowed: true });
    const after = await request(server).post('/validate').send(admissionReview());
    assert.equal(after.body.response.warnings, undefined);
  } finally {
    release();
    server.close();
  }
});

test('a verdict that comes in time cancels its timer', async () => {
  let running = 0;
  const { app } = createTestApp({
    startTimer: () => {
      running += 1;
      return () => {
        running -= 1;
      };
    },
  });
  await request(app).post('/validate').send(admissionReview()).expect(200);
  assert.equal(running, 0);
});
