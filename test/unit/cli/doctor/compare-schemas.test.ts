import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareSchemas } from '../../../../src/cli/doctor/compare-schemas.ts';
import { releasePolicyCrd } from '../../../../src/policy/crd.ts';

const own = {
  type: 'object',
  properties: {
    a: { type: 'object', description: 'x', properties: { b: { type: 'string', enum: ['x'] }, c: { type: 'integer' } } },
    list: { type: 'array', items: { type: 'object', properties: { d: { type: 'string' } } } },
  },
};

test('schemas that differ only in order and descriptions are equal', () => {
  const same = structuredClone(own);
  same.properties.a.description = 'y';
  assert.deepEqual(compareSchemas(own, same), { missing: [], changed: [], added: [] });
  const crd = (): unknown => (releasePolicyCrd() as { spec: { versions: unknown[] } }).spec.versions[0];
  assert.deepEqual(compareSchemas(crd(), crd()), { missing: [], changed: [], added: [] });
});

test('fields are missing, changed or added', () => {
  const other = {
    properties: {
      a: { type: 'object', properties: { b: { type: 'string', enum: ['x', 'y'] }, e: { properties: { f: {} } } } },
      list: { type: 'array', items: { type: 'object', properties: {} } },
    },
  };
  assert.deepEqual(compareSchemas(own, other), { missing: ['a.c', 'list[].d'], changed: ['a.b'], added: ['a.e'] });
  assert.deepEqual(compareSchemas(own, undefined).missing, ['a', 'list']);
});
