import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CustomResourceDefinition, fieldsOfVersions } from '../../../../src/facts/kept-fields.ts';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { findPruned, type PrunedInput } from '../../../../src/rules/drift/find-pruned.ts';

/**
 * A kind of two versions, of which the older lacks fields. `before` is what the API server 1.36 shows a webhook of a label that is written in the
 * older one: the old object is read in the older version, and only `managedFields` tell that there was more.
 */
const TEXT = { type: 'string' };
const schema = (fields: object) => ({
  openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: fields } } },
});
const list = (fields: object) => ({ type: 'array', items: { type: 'object', properties: fields } });
const NEW = {
  size: TEXT,
  extra: TEXT,
  deep: { properties: { a: TEXT, b: TEXT } },
  parts: list({ name: TEXT, port: TEXT }),
};
const OLD = { size: TEXT, deep: { properties: { a: TEXT } }, parts: list({ name: TEXT }) };
const definition = (more: object = {}, old: object = OLD) => ({
  spec: {
    group: 'things.test',
    versions: [
      { name: 'v1', schema: schema(NEW) },
      { name: 'v1alpha1', schema: schema(old) },
    ],
    ...more,
  },
});

const chart = (spec: object) => ({ apiVersion: 'things.test/v1', kind: 'Widget', metadata: { name: 'w' }, spec });
const FULL = chart({ size: 'big', extra: 'precious', deep: { a: '1', b: '2' }, parts: [{ name: 'x', port: '1' }] });
const live = (...managedFields: readonly object[]) =>
  ({
    apiVersion: 'things.test/v1alpha1',
    kind: 'Widget',
    metadata: { name: 'w', managedFields },
    spec: { size: 'big', deep: { a: '1' }, parts: [{ name: 'x' }] },
  }) as KubernetesObject;
const owns = (apiVersion: string, spec: object, more: object = {}) => ({
  manager: 'somebody',
  operation: 'Update',
  apiVersion,
  fieldsV1: { 'f:spec': spec },
  ...more,
});

const lost = (more: Partial<PrunedInput> = {}, crd: object = definition()): readonly string[] =>
  findPruned({
    scope: 'ChartFields',
    document: FULL,
    before: live(),
    ignore: [],
    asked: 'things.test/v1alpha1',
    versions: { unserved: new Set(), fields: fieldsOfVersions(crd as CustomResourceDefinition) },
    ...more,
  }).map(({ path }) => path);

const ALL = ['spec.extra', 'spec.deep.b', 'spec.parts[0].port'];

describe('a write in a version that lacks fields', () => {
  test('loses what the chart sets, for people and for service accounts', () => {
    assert.deepEqual(lost(), ALL);
    assert.deepEqual(lost({ scope: 'AllFields' }), ALL);
  });

  test('loses what others have set too, which counts for people', () => {
    const before = live(
      owns('things.test/v1', {
        'f:extra': {},
        'f:size': {},
        'f:parts': { 'k:{"name":"x"}': { '.': {}, 'f:port': {} } },
      }),
    );
    const document = chart({ size: 'big' });
    assert.deepEqual(lost({ document, before, scope: 'AllFields' }), ['spec.extra', 'spec.parts[x].port']);
    assert.deepEqual(lost({ document, before }), []);
  });

  test('names the version that has no such field, and that of the chart', () => {
    const [first] = findPruned({
      scope: 'ChartFields',
      document: FULL,
      before: live(),
      ignore: [],
      asked: 'things.test/v1alpha1',
      versions: { unserved: new Set(), fields: fieldsOfVersions(definition() as CustomResourceDefinition) },
    });
    assert.deepEqual(first?.lost, { asked: 'things.test/v1alpha1', chart: 'things.test/v1' });
  });
});

describe('nothing is lost', () => {
  const NOTHING: readonly (readonly [what: string, more: Partial<PrunedInput>, crd?: object])[] = [
    ['in the version of the chart', { asked: 'things.test/v1', before: { ...live(), apiVersion: 'things.test/v1' } }],
    ['where the chart sets nothing that the version lacks', { document: chart({ size: 'big', deep: { a: '1' } }) }],
    ['where the chart sets what no version has', { document: chart({ size: 'big', typo: 'x' }) }],
    ['where the chart leaves the field empty', { document: chart({ size: 'big', deep: { b: null }, parts: [] }) }],
    ['where the version has the same fields', {}, definition({}, NEW)],
    ['where a webhook converts', {}, definition({ conversion: { strategy: 'Webhook' } })],
    ['where the definition keeps unknown fields', {}, definition({ preserveUnknownFields: true })],
    ['where Belay may not read the definition', { versions: { unserved: new Set(), fields: undefined } }],
    ['where a policy leaves the fields to others', { ignore: ['/spec/extra', '/spec/deep/b', '/spec/parts/*/port'] }],
    [
      'where only the status of another version is owned',
      {
        document: chart({ size: 'big' }),
        scope: 'AllFields',
        before: live(owns('things.test/v1', { 'f:extra': {} }, { subresource: 'status' })),
      },
    ],
  ];
  for (const [what, more, crd] of NOTHING) test(what, () => assert.deepEqual(lost(more, crd), []));

  test('below a map of any keys, or one that keeps what it does not know', () => {
    const open = {
      size: TEXT,
      extra: TEXT,
      deep: { additionalProperties: TEXT },
      parts: { 'x-kubernetes-preserve-unknown-fields': true },
    };
    assert.deepEqual(lost({}, definition({}, open)), []);
  });
});
