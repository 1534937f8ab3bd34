import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import type { AdmissionAnswer } from '../../../src/admission/wire/answer.ts';
import type { Review } from '../../../src/admission/wire/review.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { admissionReview } from '../../http/admission-review.ts';
import { createTestApp } from '../../http/test-app.ts';

const MARKER = 'c3dvcmRmaXNo';

const secret = (value: string): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'web',
    namespace: 'shop',
    labels: { 'example.org/note': value },
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"data":{"password":"${value}"}}` },
  },
  data: { password: value },
  stringData: { password: value },
});

const body = admissionReview({
  kind: { group: '', version: 'v1', kind: 'Secret' },
  resource: { group: '', version: 'v1', resource: 'secrets' },
  object: secret(MARKER),
  oldObject: secret(`${MARKER}-before`),
});

const drift: AdmissionAnswer = {
  allowed: false,
  denial: {
    code: 'BelayDrift',
    release: { namespace: 'shop', name: 'web' },
    attempt: 'change',
    object: { group: '', kind: 'Secret', namespace: 'shop', name: 'web' },
    governing: { revision: 1, chart: 'shop-1.0.0' },
    recordKind: 'Secret',
    changes: [
      { path: 'data.password', pointer: '/data/password', before: MARKER, after: `${MARKER}2`, secret: true },
      { path: 'stringData', pointer: '/stringData', before: undefined, after: { password: MARKER }, secret: false },
    ],
  },
};

const outcomes: Record<string, { judge: (review: Review) => Promise<AdmissionAnswer>; body?: unknown }> = {
  allowed: { judge: async () => ({ allowed: true, why: 'unchanged' }) },
  denied: { judge: async () => drift },
  patched: {
    judge: async () => ({
      allowed: true,
      why: 'kept',
      patch: [{ op: 'add', path: '/data/password', value: MARKER }],
    }),
  },
  failed: {
    judge: async (review) => {
      throw Object.assign(new Error('the API server said no'), { review, body: review.object, data: MARKER });
    },
  },
  'failed with the whole review for an error': {
    judge: async (review) => {
      throw review;
    },
  },
  'malformed, with a uid': {
    judge: async () => assert.fail('not to be asked'),
    body: { ...body, apiVersion: MARKER },
  },
  'malformed, without a uid': {
    judge: async () => assert.fail('not to be asked'),
    body: { kind: MARKER, request: { ...(body.request as object), uid: 1 } },
  },
  'broken off': {
    judge: async () => assert.fail('not to be asked'),
    body: JSON.stringify(body).slice(0, -3),
  },
};

for (const [outcome, { judge, body: sent = body }] of Object.entries(outcomes)) {
  test(`nothing of a Secret gets into the log when its review is ${outcome}`, async () => {
    let text = '';
    const log = createLog(
      {
        write: (line) => {
          text += line;
        },
      },
      'trace',
    );
    const { app } = createTestApp({ admit: judge, mutate: judge, log });
    for (const path of ['/validate', '/mutate']) {
      await request(app)
        .post(path)
        .set('content-type', 'application/json')
        .send(sent as object);
    }
    assert.ok(text.split('\n').length > 2, 'each review has its line');
    assert.ok(!text.includes(MARKER), text);
  });
}

test('the answer of a denial shows no value of a Secret either', async () => {
  const { app } = createTestApp({ admit: async () => drift });
  const { text } = await request(app).post('/validate').send(body);
  assert.match(text, /data\.password: \(hidden\) -> \(hidden\)/);
  assert.ok(!text.includes(MARKER), text);
});
