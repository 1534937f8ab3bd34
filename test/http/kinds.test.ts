import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import request from 'supertest';
import { recognise } from '../../src/admission/recognise.ts';
import type { ReviewKind } from '../../src/admission/wire/answer.ts';
import type { Review } from '../../src/admission/wire/review.ts';
import { admissionReview } from './admission-review.ts';
import { allowed, createTestApp } from './test-app.ts';

const core = (resource: string, kind: string) => ({
  resource: { group: '', version: 'v1', resource },
  kind: { group: '', version: 'v1', kind },
});

const lease = {
  resource: { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' },
  kind: { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease' },
};

const policies = {
  resource: { group: 'belay.dev', version: 'v1alpha1', resource: 'releasepolicies' },
  kind: { group: 'belay.dev', version: 'v1alpha1', kind: 'ReleasePolicy' },
};

const owned = {
  metadata: { annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'shop' } },
};
const byHelm = { metadata: { labels: { owner: 'helm' } } };
const claim = { metadata: { labels: { 'belay.dev/claim': 'true' } } };
const name = 'sh.helm.release.v1.web.v1';

const kinds: Record<string, readonly [request: Record<string, unknown>, kind: ReviewKind]> = {
  'a release record in a Secret': [{ ...core('secrets', 'Secret'), name, object: byHelm }, 'record'],
  'a release record in a ConfigMap': [{ ...core('configmaps', 'ConfigMap'), name, object: byHelm }, 'record'],
  'a record whose label is taken away': [
    { ...core('secrets', 'Secret'), name, object: { metadata: {} }, oldObject: byHelm },
    'record',
  ],
  'a record that is deleted': [
    { ...core('secrets', 'Secret'), name, operation: 'DELETE', object: null, oldObject: byHelm },
    'record',
  ],
  'a payload under another name, which Helm would list all the same': [
    { ...core('secrets', 'Secret'), name: 'decoy', object: { ...byHelm, data: { release: 'SDRzSQ==' } } },
    'record',
  ],
  'a Secret with the label of Helm and nothing else of a record': [
    { ...core('secrets', 'Secret'), name: 'other', object: byHelm },
    'unknown',
  ],
  'a Secret that a release manages': [{ ...core('secrets', 'Secret'), object: owned }, 'object'],
  'an object that a release manages': [{ object: owned }, 'object'],
  'an object whose marks are taken away': [{ object: {}, oldObject: owned }, 'object'],
  'an object with one of the two marks': [
    { object: { metadata: { annotations: { 'meta.helm.sh/release-name': 'web' } } } },
    'unknown',
  ],
  'a scale': [{ subResource: 'scale', object: {} }, 'scale'],
  'the status of an object of a release': [{ subResource: 'status', object: owned, oldObject: owned }, 'object'],
  'a status': [{ subResource: 'status', object: {}, oldObject: {} }, 'unknown'],
  'a Namespace': [{ ...core('namespaces', 'Namespace'), name: 'shop' }, 'namespace'],
  'the claim on a release': [{ ...lease, object: claim }, 'claim'],
  'a claim whose label is taken away': [{ ...lease, object: {}, oldObject: claim }, 'claim'],
  'a policy': [{ ...policies, name: 'default' }, 'policy'],
  'the status of a policy': [{ ...policies, name: 'default', subResource: 'status' }, 'unknown'],
  "somebody's Lease": [{ ...lease, object: { metadata: { labels: { 'belay.dev/claim': 'false' } } } }, 'unknown'],
  'a kind that nobody has heard of': [
    {
      resource: { group: 'stars.example', version: 'v9', resource: 'quasars' },
      kind: { group: 'stars.example', version: 'v9', kind: 'Quasar' },
      object: { metadata: { name: 'q' }, anything: [1] },
    },
    'unknown',
  ],
};

describe('the kind of a review decides its answer when no rule answers', () => {
  for (const [what, [fields, kind]] of Object.entries(kinds)) {
    test(`${what}: ${kind}`, async () => {
      const admit = (): never => assert.fail('broken on purpose');
      const { app, lines } = createTestApp({ admit, recognise });
      const { body } = await request(app).post('/validate').send(admissionReview(fields)).expect(200);
      assert.equal(body.response.allowed, ['object', 'scale', 'policy', 'unknown'].includes(kind));
      assert.deepEqual(
        lines.filter(({ msg }) => msg === 'review').map(({ review }) => review),
        [kind],
      );
    });
  }
});

describe('a review reaches its rule as the API server sent it', () => {
  const seenOf = async (body: object | string): Promise<Review> => {
    let seen: Review | undefined;
    const admit = async (review: Review) => {
      seen = review;
      return allowed;
    };
    const { app } = createTestApp({ admit, recognise });
    const response = await request(app).post('/validate').set('content-type', 'application/json').send(body);
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(response.body.response, { uid: 'uid-1', allowed: true });
    assert.ok(seen);
    return seen;
  };

  for (const dryRun of [true, false]) {
    test(`with dryRun ${dryRun}`, async () => {
      assert.equal((await seenOf(admissionReview({ dryRun }))).dryRun, dryRun);
    });
  }

  test('with the user as the authenticator described it', async () => {
    const userInfo = { username: 'ann', uid: 'u', groups: ['a', 'b'], extra: { scopes: ['x'] } };
    const { user } = await seenOf(admissionReview({ userInfo }));
    assert.deepEqual(user, { username: 'ann', groups: ['a', 'b'], extra: { scopes: ['x'] } });
  });

  test('with an object nested a hundred thousand deep', async () => {
    const deep = `${'{"a":['.repeat(50_000)}${']}'.repeat(50_000)}`;
    const body = JSON.stringify(admissionReview({ object: { spec: 'DEEP' } })).replace('"DEEP"', deep);
    assert.equal(typeof (await seenOf(body)).object?.spec, 'object');
  });

  test('with ten thousand labels and annotations', async () => {
    const map = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`example.org/key-${i}`, 'x'.repeat(63)]));
    const { object } = await seenOf(admissionReview({ object: { metadata: { labels: map, annotations: map } } }));
    assert.equal(Object.keys(object?.metadata?.labels ?? {}).length, 10_000);
    assert.deepEqual(object?.metadata?.annotations, map);
  });

  test('with keys called __proto__ and constructor, which change nothing else', async () => {
    const hostile = '{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}}';
    const object = `{"metadata":{"labels":{"__proto__":"x"}},"data":${hostile},"__proto__":{"polluted":"yes"}}`;
    const body = JSON.stringify(admissionReview({ object: 'HOSTILE' })).replace('"HOSTILE"', object);
    const review = await seenOf(body);
    assert.deepEqual(Object.keys(review.object?.data as object), ['__proto__', 'constructor']);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    assert.equal(review.object?.polluted, undefined);
  });

  test('a label called __proto__ is not mistaken for the ones that count', async () => {
    const object = '{"metadata":{"labels":{"__proto__":{"owner":"helm"}}}}';
    const body = JSON.stringify(admissionReview({ object: 'HOSTILE' })).replace('"HOSTILE"', object);
    const { app } = createTestApp({ recognise });
    const response = await request(app).post('/validate').set('content-type', 'application/json').send(body);
    assert.equal(response.body.response.status.code, 400);
  });
});
