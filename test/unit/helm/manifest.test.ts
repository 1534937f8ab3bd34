import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findDocument, indexManifest, parseManifest } from '../../../src/helm/manifest.ts';

const configMap = (name: string, rest = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${rest}`;
const dataOf = (lines: string): unknown => parseManifest(configMap('x', `data:\n${lines}`))[0]?.document.data;
const names = (text: string): readonly string[] => parseManifest(text).map(({ name }) => name);

test('a manifest of Helm is split into its objects', () => {
  const text = `---
# Source: shop/templates/service.yaml
apiVersion: v1
kind: Service
metadata:
  name: web
---
# Source: shop/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: other
spec:
  replicas: 2
`;
  assert.deepEqual(parseManifest(text), [
    {
      group: '',
      version: 'v1',
      kind: 'Service',
      namespace: '',
      name: 'web',
      document: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' } },
    },
    {
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      namespace: 'other',
      name: 'web',
      document: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'other' },
        spec: { replicas: 2 },
      },
    },
  ]);
});

test('documents are split as kubectl splits them', () => {
  const cases: readonly (readonly [text: string, names: readonly string[]])[] = [
    ['', []],
    ['---\n---\n\n--- # nothing\n# only a comment\n---\nnull\n', []],
    [`${configMap('a')}---\n${configMap('b')}`, ['a', 'b']],
    [`${configMap('a')}--- # next\r\n${configMap('b')}---`, ['a', 'b']],
    [`\uFEFF${configMap('a')}`, ['a']],
    [configMap('a', 'data:\n  x: |\n    ---\n    y: z\n'), ['a']],
    [`${configMap('a')}---\nkind: [\n---\n${configMap('c')}`, ['a', 'c']],
    [`${configMap('a')}---\njust text\n---\n- a list\n---\nkind: ConfigMap\n---\n${configMap('""')}`, ['a']],
    [`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"j"}}\n---\n${configMap('b')}`, ['j', 'b']],
    ['{apiVersion: v1, kind: ConfigMap, metadata: {name: flow}}', ['flow']],
    [configMap('a').replaceAll('\n', '\r\n'), ['a']],
    [configMap('1'), []],
  ];
  for (const [text, expected] of cases) assert.deepEqual(names(text), expected, JSON.stringify(text));
});

test('the items of lists are objects of their own', () => {
  assert.deepEqual(
    names(`apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: a}
- apiVersion: v1
  kind: List
  items:
  - {apiVersion: v1, kind: Secret, metadata: {name: b}}
- nonsense
`),
    ['a', 'b'],
  );
  const [item] = parseManifest(
    'apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleList\nitems:\n- metadata: {name: r}\n',
  );
  assert.equal(`${item?.group} ${item?.kind} ${item?.name}`, 'rbac.authorization.k8s.io Role r');
});

test('values are read as Go reads them', () => {
  const cases: readonly (readonly [yaml: string, value: unknown])[] = [
    ['yes', true],
    ['Off', false],
    ['y', true],
    ['oN', 'oN'],
    ['~', null],
    ['', null],
    ['0644', 420],
    ['0o644', 420],
    ['08', 8],
    ['0x1F', 31],
    ['-0b101', -5],
    ['1_000', 1000],
    ['1e3', 1000],
    ['.5', 0.5],
    ['12:30', '12:30'],
    ['2001-01-01', '2001-01-01'],
    ['1.2.3', '1.2.3'],
    ['100m', '100m'],
    ['"yes"', 'yes'],
    ["'0644'", '0644'],
    ['!!str 1', '1'],
    ['!!int 5', 5],
    ['!!float 5', 5],
    ['!!binary aGk=', 'hi'],
    ['|\n    a\n    b', 'a\nb\n'],
    ['>-\n    a\n    b', 'a b'],
    ['[1, yes, {a: no}]', [1, true, { a: false }]],
  ];
  for (const [yaml, value] of cases) assert.deepEqual(dataOf(`  k: ${yaml}\n`), { k: value }, yaml);
  assert.deepEqual(dataOf('  1: a\n  on: b\n  0x10: c\n  1.5: d\n'), { 1: 'a', true: 'b', 16: 'c', 1.5: 'd' });
});

test('duplicate keys, anchors and merges are read as in Go', () => {
  assert.deepEqual(dataOf('  a: 1\n  a: 2\n'), { a: 2 });
  assert.deepEqual(dataOf('  a: &x {p: 1, q: 2}\n  b:\n    <<: *x\n    q: 9\n'), {
    a: { p: 1, q: 2 },
    b: { p: 1, q: 9 },
  });
  assert.deepEqual(dataOf('  a: &x [1]\n  b: *x\n'), { a: [1], b: [1] });
  assert.deepEqual(
    names(`${configMap('a', 'data: &x\n  b: *x\n')}---\n${configMap('b', 'data: *nope\n')}---\n${configMap('c')}`),
    ['c'],
  );
});

test('a document with too many aliases is left out', () => {
  const bomb = Array.from(
    { length: 30 },
    (_, level) => `  a${level}: &a${level} [${level === 0 ? '1' : `*a${level - 1}, *a${level - 1}`}]\n`,
  );
  assert.deepEqual(names(`${configMap('bomb', `data:\n${bomb.join('')}`)}---\n${configMap('b')}`), ['b']);
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
  assert.deepEqual(names(`${configMap('deep', `data: ${deep}\n`)}---\n${configMap('b')}`), ['b']);
  assert.deepEqual(
    names(`{"apiVersion":"v1","kind":"X","metadata":{"name":"d"},"x":${deep}}\n---\n${configMap('b')}`),
    ['b'],
  );
});

test('keys such as __proto__ are keys like any other, and documents can be posted', () => {
  const [document] = structuredClone(parseManifest(configMap('a', 'data:\n  __proto__: x\n  constructor: z\n')));
  const data = document?.document.data as Record<string, unknown>;
  assert.deepEqual(Object.entries(data), [
    ['__proto__', 'x'],
    ['constructor', 'z'],
  ]);
});

test('any JSON that is written as YAML is read back as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: true }), (value) => {
      const object = { apiVersion: 'v1', kind: 'X', metadata: { name: 'a' }, value };
      assert.deepEqual(parseManifest(JSON.stringify(object))[0]?.document, JSON.parse(JSON.stringify(object)));
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseManifest(text))));
});

test('an object is found by group, kind, namespace and name, in any version', () => {
  const documents = parseManifest(
    [
      configMap('a'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: other}\nn: 2\n',
      'apiVersion: autoscaling/v2beta1\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n',
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a, namespace: stray}\n',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n',
    ].join('---\n'),
  );
  const place = (group: string, kind: string, namespace: string, name: string): number => {
    const found = findDocument(documents, 'shop', { group, kind, namespace, name });
    return found === undefined ? -1 : documents.indexOf(found);
  };
  assert.equal(place('', 'ConfigMap', 'shop', 'a'), 0);
  assert.equal(place('', 'ConfigMap', 'other', 'a'), 1);
  assert.equal(place('', 'ConfigMap', 'third', 'a'), -1);
  assert.equal(place('', 'Secret', 'shop', 'a'), -1);
  assert.equal(place('', 'ConfigMap', 'shop', 'b'), -1);
  assert.equal(place('autoscaling', 'HorizontalPodAutoscaler', 'shop', 'a'), 2);
  assert.equal(place('other.example', 'HorizontalPodAutoscaler', 'shop', 'a'), -1);
  assert.equal(place('rbac.authorization.k8s.io', 'ClusterRole', '', 'a'), 3);
  assert.equal(place('', 'Namespace', 'team', 'team'), 4);
  assert.equal(indexManifest(documents).size, 4);
});
