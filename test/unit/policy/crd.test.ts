import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { releasePolicyCrd, releasePolicyCrdText } from '../../../src/policy/crd.ts';

type Schema = { readonly [key: string]: unknown };

const MANIFEST = join(import.meta.dirname, '../../../manifests/base/release-policy-crd.yaml');

test('the definition in manifests/ is the one that the source makes', async () => {
  assert.equal(await readFile(MANIFEST, 'utf8'), releasePolicyCrdText(), 'out of date: run `make generate`');
});

test('kubectl, which reads YAML 1.1, reads the same definition', () => {
  const written = JSON.parse(JSON.stringify(releasePolicyCrd())) as unknown;
  assert.deepEqual(parse(releasePolicyCrdText(), { version: '1.1' }), written);
});

/** Every schema in a definition, with its path. */
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

test('`kubectl explain` describes every field', () => {
  const silent = schemas.filter(([path, { description }]) => !path.endsWith('[]') && !description);
  assert.deepEqual(
    silent.map(([path]) => path),
    [],
  );
});

test('every text and every list of the spec has a bound', () => {
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

test('every action may be Off, also as the boolean false', () => {
  const actions = schemas.filter(([path]) => path.endsWith('.action'));
  assert.equal(actions.length, 5);
  for (const [path, { type, enum: values }] of actions) {
    assert.ok((values as unknown[]).includes('Off') && (values as unknown[]).includes(false), path);
    assert.equal(type, undefined, path);
  }
});

/** https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax. Kubernetes 1.30 knows a field of such a name only as `__namespace__`. */
const RESERVED_BY_CEL =
  'true false null in as break const continue else for function if import let loop package namespace return var void while';

test('no CEL rule names a field by a reserved word, for which an older API server would refuse the whole definition', () => {
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
