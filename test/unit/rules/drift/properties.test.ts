import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { isUnchanged } from '../../../../src/rules/drift/is-unchanged.ts';
import { asInstalled, chartDeployment, drift, edit, type Json, liveDeployment, paths } from './fixtures.ts';

const subjects = ['user', 'serviceAccount'] as const;
const json = fc.jsonValue({ maxDepth: 5 }) as fc.Arbitrary<unknown>;
const key = fc.oneof(
  fc.constantFrom('a', 'b.c/d', 'name', '__proto__', 'constructor', '~', '0'),
  fc.string({ maxLength: 3 }),
);

/** Documents as charts have them: without null, and with lists of named items, of scalars and of other items. */
const { value: chartValue } = fc.letrec<{ value: unknown; map: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'chart' },
    fc.string({ maxLength: 4 }),
    fc.integer({ min: 0, max: 9 }),
    fc.boolean(),
    tie('map'),
    fc.array(fc.string({ maxLength: 2 }), { maxLength: 3 }),
    fc
      .uniqueArray(
        tie('map').map((map) => ({ ...map })),
        { maxLength: 3 },
      )
      .map((items) => items.map((item, index) => ({ ...item, name: `n${index}` }))),
    fc.array(tie('map'), { maxLength: 2 }),
  ),
  map: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
}));
const chart = fc
  .tuple(fc.constantFrom('v1', 'x.example/v1'), fc.constantFrom('ConfigMap', 'Widget'), chartValue)
  .map(([apiVersion, kind, spec]): Json => ({ apiVersion, kind, metadata: { name: 'web' }, spec }));

/** An item with an empty name is left out: `{name: ""}` sets nothing, so a service account may take it away. */
const isNamed = (item: { readonly name?: unknown } | null): boolean =>
  typeof item?.name === 'string' && item.name !== '';

/** Pointers to all values that are compared as a whole: every value but maps and lists of named items. */
const leaves = (value: unknown, pointer = ''): readonly string[] => {
  if (typeof value !== 'object' || value === null) return [pointer];
  if (Array.isArray(value) && (value.length === 0 || !value.every(isNamed))) return [];
  return Object.keys(value).flatMap((name) =>
    leaves((value as Json)[name], `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
};

const valueAt = (document: Json, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, name) => (value as Json)[name], document);

const chartAndLeaf = chart
  .map((document) => ({
    document,
    pointers: leaves(document.spec, '/spec').filter((pointer) => !pointer.includes('__proto__')),
  }))
  .filter(({ pointers }) => pointers.length > 0)
  .chain(({ document, pointers }) =>
    fc.record({ document: fc.constant(document), pointer: fc.constantFrom(...pointers) }),
  );

test('equal objects are never drift', () => {
  fc.assert(
    fc.property(json, json, (document, live) => {
      const before = live as KubernetesObject;
      const after = structuredClone(before);
      if (typeof live !== 'object' || live === null) return;
      for (const subject of subjects) assert.deepEqual(paths(subject, { spec: document }, before, after), []);
      assert.equal(isUnchanged(before, after), true);
    }),
  );
});

test('a changed field of the chart is always drift', () => {
  fc.assert(
    fc.property(chartAndLeaf, ({ document, pointer }) => {
      const before = asInstalled(document);
      const after = edit(before, [pointer, 'something else']);
      for (const subject of subjects) {
        const changes = drift(subject, document, before, after);
        // An empty text is a blank for service accounts.
        if (subject === 'serviceAccount' && valueAt(document, pointer) === '') {
          assert.deepEqual(changes, []);
          continue;
        }
        // A changed name makes another item of the list.
        if (pointer.endsWith('/name')) assert.notEqual(changes.length, 0);
        else
          assert.deepEqual(
            changes.map((change) => change.after),
            ['something else'],
          );
      }
      assert.equal(isUnchanged(before, after), false);
    }),
  );
});

test("a change back to the chart's value is never drift", () => {
  fc.assert(
    fc.property(chartAndLeaf, ({ document, pointer }) => {
      const after = asInstalled(document);
      if (pointer.endsWith('/name')) return;
      for (const before of [edit(after, [pointer, 'something else']), edit(after, [pointer, ['x']])]) {
        for (const subject of subjects) assert.deepEqual(paths(subject, document, before, after), []);
      }
    }),
  );
});

test('drift of a service account is also drift of a person, at the same path', () => {
  fc.assert(
    fc.property(chart, chartValue, chartValue, (document, old, now) => {
      const [before, after] = [asInstalled({ ...document, spec: old }), asInstalled({ ...document, spec: now })];
      const pointers = subjects.map((subject) => drift(subject, document, before, after).map(({ pointer }) => pointer));
      assert.deepEqual(new Set(pointers[1]).difference(new Set(pointers[0])), new Set());
    }),
    { numRuns: 1000 },
  );
});

test('a change by a person outside of the chart is always drift', () => {
  fc.assert(
    fc.property(chart, fc.string({ maxLength: 4 }), (document, text) => {
      const before = asInstalled(document, { more: { list: [{ name: 'a' }] } });
      const after = edit(before, ['/more/list/0/value', text], ['/added', text]);
      assert.deepEqual(paths('user', document, before, after), ['more.list[a].value', 'added']);
      assert.deepEqual(paths('serviceAccount', document, before, after), []);
    }),
  );
});

test('no object makes findDrift throw', () => {
  const part = fc.oneof(
    json,
    fc.constant({ labels: 1 }),
    fc.constant([{ fieldsV1: { 'f:spec': { 'k:{': {}, 'v:1': 1 } } }]),
  );
  const object = fc.record({
    apiVersion: json,
    kind: json,
    metadata: fc.oneof(part, fc.record({ managedFields: part, labels: part })),
    spec: part,
    data: part,
  });
  fc.assert(
    fc.property(
      object,
      object,
      object,
      fc.array(fc.string().map((text) => `/${text}`)),
      (document, before, after, ignore) => {
        for (const subject of subjects)
          drift(subject, document, before as KubernetesObject, after as KubernetesObject, { ignore });
      },
    ),
  );
});

test('objects nested beyond reason are compared, and fail towards drift', () => {
  const deep = (leaf: string): Json => {
    let value: unknown = leaf;
    for (let level = 0; level < 5000; level++) value = level % 2 ? [value] : { a: value };
    return { apiVersion: 'x.example/v1', kind: 'Widget', metadata: { name: 'web' }, spec: value };
  };
  const [before, same, other] = [deep('x'), deep('x'), deep('y')] as [
    KubernetesObject,
    KubernetesObject,
    KubernetesObject,
  ];
  assert.equal(isUnchanged(before, same), true);
  assert.equal(isUnchanged(before, other), false);
  assert.equal(paths('user', {}, before, other).length, 1);
  for (const subject of subjects) {
    assert.equal(drift(subject, deep('x'), before, same).filter(({ path }) => path.startsWith('spec')).length, 0);
    assert.equal(drift(subject, deep('x'), before, other).filter(({ path }) => path.startsWith('spec')).length, 1);
  }
});

test('keys such as __proto__ are keys like any other', () => {
  const parse = (text: string) => JSON.parse(text) as KubernetesObject;
  const document = parse('{"data":{"__proto__":"1","constructor":"2","toString":"3"}}') as Json;
  const before = parse('{"kind":"ConfigMap","data":{"__proto__":"1","constructor":"2","toString":"3"}}');
  const after = parse('{"kind":"ConfigMap","data":{"__proto__":"9","constructor":"2"}}');
  for (const subject of subjects)
    assert.deepEqual(paths(subject, document, before, after), ['data.__proto__', 'data.toString']);
  assert.equal(isUnchanged(before, after), false);
  assert.equal(isUnchanged(parse('{"a":{}}'), parse('{"a":{"__proto__":{}}}')), false);
});

test('a list of ten thousand items is paired in time', () => {
  const items = Array.from({ length: 10_000 }, (_, index) => ({ name: `V${index}`, value: '1' }));
  const document = edit(chartDeployment, ['/spec/template/spec/containers/0/env', items]);
  const before = edit(liveDeployment as KubernetesObject, ['/spec/template/spec/containers/0/env', items]);
  const after = edit(before, ['/spec/template/spec/containers/0/env/5000/value', '2']);
  assert.deepEqual(paths('serviceAccount', document, before, after), [
    'spec.template.spec.containers[web].env[V5000].value',
  ]);
});
