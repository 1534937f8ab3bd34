import assert from 'node:assert/strict';
import { test } from 'node:test';
import request from 'supertest';
import type { AdmissionAnswer } from '../../src/admission/wire/answer.ts';
import type { Review } from '../../src/admission/wire/review.ts';
import { admissionReview } from './admission-review.ts';
import { createTestApp } from './test-app.ts';

test('a review is answered with its uid, as JSON of known length', async () => {
  const { app } = createTestApp();
  const response = await request(app).post('/validate?timeout=10s').send(admissionReview()).expect(200);
  assert.deepEqual(response.body, {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'uid-1', allowed: true },
  });
  assert.match(response.headers['content-type'] ?? '', /^application\/json/);
  assert.equal(Number(response.headers['content-length']), Buffer.byteLength(response.text));
  assert.equal(response.headers['x-powered-by'], undefined);
});

test('/validate asks whether a write is allowed, and /mutate what to change in it', async () => {
  const seen: string[] = [];
  const judge = (name: string, answer: AdmissionAnswer) => async (review: Review) => {
    seen.push(`${name} ${review.operation} ${review.namespace}/${review.name} by ${review.user.username}`);
    return answer;
  };
  const patch = [{ op: 'add', path: '/metadata/annotations', value: {} }] as const;
  const { app } = createTestApp({
    admit: judge('admit', { allowed: false, denial: { code: 'BelayUnavailable', problem: 'x' } }),
    mutate: judge('mutate', { allowed: true, why: 'carried', patch }),
  });
  const denied = await request(app).post('/validate').send(admissionReview());
  assert.equal(denied.body.response.allowed, false);
  assert.equal(denied.body.response.status.code, 403);
  assert.equal(denied.body.response.status.details.causes[0].reason, 'BelayUnavailable');
  const patched = await request(app).post('/mutate').send(admissionReview());
  assert.deepEqual(JSON.parse(Buffer.from(patched.body.response.patch, 'base64').toString()), patch);
  assert.deepEqual(seen, ['admit UPDATE shop/web by alice', 'mutate UPDATE shop/web by alice']);
});

test('a decision is one line in the log, with no payload', async () => {
  const { app, lines } = createTestApp({}, 'record');
  const object = { metadata: { name: 'web' }, data: { release: 'c2VjcmV0' }, stringData: { a: 'c2VjcmV0' } };
  await request(app).post('/validate').send(admissionReview({ object }));
  const [line, ...others] = lines;
  assert.deepEqual(others, []);
  const { time, ms, ...rest } = line ?? {};
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(typeof ms, 'number');
  assert.deepEqual(rest, {
    level: 'info',
    uid: 'uid-1',
    review: 'record',
    operation: 'UPDATE',
    object: 'apps/Deployment',
    namespace: 'shop',
    name: 'web',
    user: 'alice',
    allowed: true,
    why: 'unchanged',
    msg: 'review',
  });
});

test('a decision is counted by kind, operation, decision and code', async () => {
  const { app, metrics } = createTestApp({
    admit: async () => ({ allowed: false, denial: { code: 'BelayUnavailable', problem: 'x' } }),
  });
  await request(app).post('/validate').send(admissionReview());
  await request(app).post('/validate').send(admissionReview());
  await request(app).post('/mutate').send(admissionReview());
  const text = await metrics.registry.metrics();
  const denied = 'belay_reviews_total{kind="object",operation="UPDATE",decision="denied",code="BelayUnavailable"} 2';
  assert.ok(text.includes(denied), text);
  assert.ok(text.includes('decision="allowed",code="unchanged"} 1'));
  assert.ok(text.includes('belay_review_duration_seconds_count{kind="object"} 3'));
  assert.ok(text.includes('belay_reviews_in_flight 0'));
});
