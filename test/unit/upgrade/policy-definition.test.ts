import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { releasePolicyCrd } from '../../../src/policy/crd.ts';
import { narrowedBy, narrowedDefinition } from '../../upgrade/narrowed.ts';

type Node = Record<string, unknown>;

const recorded = parse(
  await readFile(join(import.meta.dirname, '../../upgrade/0.1.0/release-policy-crd.yaml'), 'utf8'),
) as Node;

test('a policy that 0.1.0 took is still taken, with the same meaning', () => {
  assert.deepEqual(narrowedDefinition(recorded, JSON.parse(JSON.stringify(releasePolicyCrd())) as Node), []);
});

/** A definition with a change deep inside it. */
const changed = (change: (version: Node, spec: Record<string, Node>) => void): Node => {
  const copy = structuredClone(recorded) as { spec: { versions: Node[] } };
  const [version] = copy.spec.versions as [{ schema: { openAPIV3Schema: { properties: Record<string, Node> } } }];
  const spec = version.schema.openAPIV3Schema.properties.spec?.properties as Record<string, Node>;
  change(version as unknown as Node, spec);
  return copy as unknown as Node;
};

test('a removed field is found in the definition, and so is a version that is no longer served', () => {
  const without = changed((_version, spec) => {
    delete (spec.match as { properties: Node }).properties.releases;
  });
  assert.deepEqual(narrowedDefinition(recorded, without), ['v1alpha1.spec.match.releases: is gone']);
  const unserved = changed((version) => {
    version.served = false;
  });
  assert.deepEqual(narrowedDefinition(recorded, unserved), ['v1alpha1 is not served any more']);
});

const narrower: readonly (readonly [what: string, before: Node, after: Node, problem: string])[] = [
  ['a removed value', { enum: ['a', 'b'] }, { enum: ['a'] }, 'x: the value b is gone'],
  ['a new list of values', {}, { enum: ['a'] }, 'x: only some values are taken now'],
  ['a new required field', { required: ['a'] }, { required: ['a', 'b'] }, 'x: b is required now'],
  ['a lower limit', { maxLength: 9 }, { maxLength: 8 }, 'x: maxLength is smaller'],
  ['a new limit', {}, { maxItems: 8 }, 'x: maxItems is smaller'],
  ['a higher minimum', { minimum: 0 }, { minimum: 1 }, 'x: minimum is greater'],
  ['another pattern', { pattern: 'a' }, { pattern: 'b' }, 'x: pattern is another one'],
  ['another type', { type: 'string' }, { type: 'integer' }, 'x: type is another one'],
  ['another default', { default: 1 }, { default: 2 }, 'x: default is another one'],
  ['a new rule', {}, { 'x-kubernetes-validations': [{ rule: 'false' }] }, 'x: a new rule: false'],
  ['null that is no longer allowed', { nullable: true }, {}, 'x: null is not taken any more'],
  ['a lower limit inside a list', { items: { maximum: 2 } }, { items: { maximum: 1 } }, 'x[]: maximum is smaller'],
  [
    'deep inside a map',
    { additionalProperties: { enum: [1, 2] } },
    { additionalProperties: { enum: [1] } },
    'x{}: the value 2 is gone',
  ],
];
for (const [what, before, after, problem] of narrower) {
  test(`not additive: ${what}`, () => assert.deepEqual(narrowedBy(before, after, 'x'), [problem]));
}

const wider: readonly (readonly [what: string, before: Node, after: Node])[] = [
  ['a new field', { properties: {} }, { properties: { a: { type: 'string', maxLength: 1 } } }],
  ['an added value', { enum: ['a'] }, { enum: ['a', 'b'] }],
  ['a removed list of values', { enum: ['a'] }, {}],
  ['a higher limit', { maxLength: 8, minimum: 1 }, { maxLength: 9, minimum: 0 }],
  ['a field that is no longer required', { required: ['a'] }, {}],
  ['a removed rule', { 'x-kubernetes-validations': [{ rule: 'false' }] }, {}],
  ['another description', { description: 'a' }, { description: 'b' }],
];
for (const [what, before, after] of wider) {
  test(`additive: ${what}`, () => assert.deepEqual(narrowedBy(before, after, 'x'), []));
}
