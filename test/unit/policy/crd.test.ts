import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { releasePolicyCrd, releasePolicyCrdText } from '../../../src/policy/crd.ts';

type Schema = { readonly [key: string]: unknown };

const MANIFEST = join(import.meta.dirname, '../../../manifests/base/release-policy-crd.yaml');

test('the definition that is checked in is the one that the source makes', async () => {
  assert.equal(await readFile(MANIFEST, 'utf8'), releasePolicyCrdText(), 'out of date: run `make generate`');
});

test('it reads the same by the YAML 1.1 of kubectl, to which a bare Off is false', () => {
  const written = JSON.parse(JSON.stringify(releasePolicyCrd())) as unknown;
  assert.deepEqual(parse(releasePolicyCrdText(), { version: '1.1' }), written);
});

/** Every schema in it, by its path. */
function* schemasIn(schema: Schema, path: string): Generator<readonly [path: string, schema: Schema]> {
  yield [path, schema];
  for (const [name, below] of Object.entries((schema.properties ?? {}) as Record<string, Schema>)) {
    yield* schemasIn(below, `${path}.${name}`);
  }
  if (schema.items !== undefined) yield* schemasIn(schema.items as Schema, `${path}[]`);
}

const [version] = (releasePolicyCrd() as { spec: { versions: { schema: { openAPIV3Schema: Schema } }[] } }).spec
  .versions;
const properties = version?.schema.openAPIV3Schema.properties as Record<'spec' | 'status', Schema>;
const schemas = [...schemasIn(properties.spec, 'spec'), ...schemasIn(properties.status, 'status')];

test('`kubectl explain` says something of every field', () => {
  const silent = schemas.filter(([path, { description }]) => !path.endsWith('[]') && !description);
  assert.deepEqual(
    silent.map(([path]) => path),
    [],
  );
});

test('every text and every list that people write has a bound', () => {
  const unbounded = schemas.filter(([path, schema]) => {
    if (!path.startsWith('spec')) return false;
    const isFreeText = schema.type === 'string' && schema.enum === undefined;
    return (isFreeText && schema.maxLength === undefined) || (schema.type === 'array' && schema.maxItems === undefined);
  });
  assert.deepEqual(
    unbounded.map(([path]) => path),
    [],
  );
});

test('every action may be Off, also as YAML reads it bare', () => {
  const actions = schemas.filter(([path]) => path.endsWith('.action'));
  assert.equal(actions.length, 5);
  for (const [path, { type, enum: values }] of actions) {
    assert.ok((values as unknown[]).includes('Off') && (values as unknown[]).includes(false), path);
    assert.equal(type, undefined, path);
  }
});

/** https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax; Kubernetes 1.30 knows fields so called as `__namespace__` alone. */
const RESERVED_BY_CEL =
  'true false null in as break const continue else for function if import let loop package namespace return var void while';

test('no rule names a field by a word that CEL reserves: to an older API server the whole definition would be invalid', () => {
  const rules = schemas.flatMap(([path, schema]) =>
    ((schema['x-kubernetes-validations'] ?? []) as { rule: string }[]).map(({ rule }) => [path, rule] as const),
  );
  assert.ok(rules.length > 5);
  const reserved = new Set(RESERVED_BY_CEL.split(' '));
  for (const [path, rule] of rules) {
    const fields = [...rule.matchAll(/\bself\.(\w+)/g)].map(([, field = '']) => field);
    assert.ok(!fields.some((field) => reserved.has(field)), `${path}: ${rule}`);
  }
});
