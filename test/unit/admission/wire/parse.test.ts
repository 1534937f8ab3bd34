import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admissionReviewSchema, parseReview } from '../../../../src/admission/wire/parse.ts';
import { admissionReview } from '../../../http/admission-review.ts';

const parse = (request: Record<string, unknown>, rest: Record<string, unknown> = {}) =>
  parseReview({ ...admissionReview(request), ...rest });

const parsed = (request: Record<string, unknown>) => {
  const result = parse(request);
  assert.ok(result.ok, JSON.stringify(result));
  return result.review;
};

test('fields that Go leaves out when they are empty are there, and empty', () => {
  const review = parsed({ namespace: undefined, userInfo: {}, dryRun: undefined, object: null, oldObject: undefined });
  assert.equal(review.subResource, '');
  assert.equal(review.namespace, '');
  assert.equal(review.dryRun, false);
  assert.deepEqual(review.user, { username: '', groups: [] });
  assert.equal(review.object, undefined);
  assert.equal(review.oldObject, undefined);
});

const names: Record<string, readonly [request: Record<string, unknown>, name: string]> = {
  'the request': [{ name: 'a', object: { metadata: { name: 'b' } } }, 'a'],
  'the old object, when a deletecollection names nothing': [{ name: '', oldObject: { metadata: { name: 'b' } } }, 'b'],
  'the new object': [{ name: undefined, oldObject: null, object: { metadata: { name: 'b' } } }, 'b'],
  'nothing, on a CREATE with generateName': [
    { name: undefined, oldObject: null, object: { metadata: { generateName: 'b-' } } },
    '',
  ],
};
for (const [name, [request, expected]] of Object.entries(names)) {
  test(`the name comes from ${name}`, () => assert.equal(parsed(request).name, expected));
}

test('objects are handed on as they came, without a copy', () => {
  const object = JSON.parse(
    '{"metadata":{"name":"a","creationTimestamp":null},"data":{"__proto__":"x","constructor":"y"}}',
  );
  const review = parsed({ object });
  assert.equal(review.object, object);
  assert.deepEqual(Object.keys(review.object?.data as object), ['__proto__', 'constructor']);
});

test('a key called __proto__ is nothing but a key', () => {
  const body = JSON.parse(
    JSON.stringify(admissionReview({})).replace(
      '"request":{',
      '"request":{"__proto__":{"dryRun":true,"subResource":"x"},',
    ),
  );
  const result = parseReview(body);
  assert.ok(result.ok);
  assert.equal(result.review.dryRun, false);
  assert.equal(result.review.subResource, '');
  assert.equal(({} as Record<string, unknown>).dryRun, undefined);
});

test('a review with unknown fields is read', () => {
  assert.ok(parse({ somethingNew: { a: 1 } }, { more: true }).ok);
});

const problems: Record<string, readonly [body: unknown, uid: string | undefined, problem: RegExp]> = {
  'no object': ['hello', undefined, /the body: Invalid input/],
  null: [null, undefined, /the body/],
  'an array': [[], undefined, /the body|apiVersion/],
  'another version': [{ ...admissionReview({}), apiVersion: 'admission.k8s.io/v1beta1' }, 'uid-1', /apiVersion/],
  'another kind': [{ ...admissionReview({}), kind: 'Pod' }, 'uid-1', /: kind: /],
  'no request': [{ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }, undefined, /request/],
  'no uid': [admissionReview({ uid: '' }), undefined, /request\.uid/],
  'an enormous uid': [admissionReview({ uid: 'x'.repeat(1e6) }), undefined, /request\.uid/],
  'an unknown operation': [admissionReview({ operation: 'PATCH' }), 'uid-1', /request\.operation/],
  'labels that are no strings': [
    admissionReview({ object: { metadata: { labels: { a: 1 } } } }),
    'uid-1',
    /request\.object\.metadata\.labels: expected a map of strings/,
  ],
  'annotations that are a list': [
    admissionReview({ oldObject: { metadata: { annotations: ['a'] } } }),
    'uid-1',
    /request\.oldObject\.metadata\.annotations/,
  ],
  'an object that is a string': [admissionReview({ object: 'x' }), 'uid-1', /request\.object/],
};
for (const [name, [body, uid, problem]] of Object.entries(problems)) {
  test(`not a review: ${name}`, () => {
    const result = parseReview(body);
    assert.ok(!result.ok);
    assert.equal(result.uid, uid);
    assert.match(result.problem, problem);
    assert.ok(result.problem.length < 400 && !result.problem.includes('\n'));
  });
}

test('with any value in any field, the check by hand and the schema agree, and a refusal has words', () => {
  const fields = [
    ...[
      'uid',
      'kind',
      'resource',
      'subResource',
      'name',
      'namespace',
      'operation',
      'userInfo',
      'dryRun',
      'object',
      'oldObject',
    ],
    ...['kind.group', 'kind.version', 'kind.kind', 'resource.group', 'resource.version', 'resource.resource'],
    ...['userInfo.username', 'userInfo.groups', 'userInfo.extra', 'userInfo.extra.scopes', 'userInfo.groups.0'],
    ...[
      'object.metadata',
      'object.metadata.name',
      'object.metadata.namespace',
      'object.metadata.labels',
      'object.metadata.labels.a',
    ],
    ...['oldObject.metadata.annotations', 'oldObject.metadata.annotations.a'],
  ];
  const values: readonly unknown[] = [
    undefined,
    null,
    '',
    'x',
    0,
    true,
    [],
    ['x'],
    [1],
    {},
    { a: 'x' },
    { a: 1 },
    { a: ['x'] },
    'x'.repeat(200),
    'DELETE',
  ];
  for (const path of fields) {
    for (const put of values) {
      const full = {
        userInfo: { username: 'a', groups: ['g'], extra: { scopes: ['s'] } },
        object: { metadata: { name: 'a', labels: { a: 'b' } } },
        oldObject: { metadata: { name: 'a', annotations: { a: 'b' } } },
      };
      const body = structuredClone(admissionReview(full));
      const steps = path.split('.');
      const last = steps.pop() ?? '';
      let at = body.request as Record<string, unknown>;
      for (const step of steps) at = at[step] as Record<string, unknown>;
      at[last] = put;
      const result = parseReview(body);
      assert.equal(result.ok, admissionReviewSchema.safeParse(body).success, `${path}: ${JSON.stringify(put)}`);
      if (!result.ok) assert.match(result.problem, /v1: request\./);
    }
  }
});
