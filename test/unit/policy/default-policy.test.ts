import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { parsePolicy } from '../../../src/policy/parse-policy.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { builtInPolicy } from '../../../src/policy/policy-in-force.ts';
import { releasePolicySpec } from '../../../src/policy/schema.ts';

/** manifests/policies/default.yaml: what it sets, and what its comments say of the defaults. */

const STALE_AFTER_MS = 600_000;

const text = await readFile(new URL('../../../manifests/policies/default.yaml', import.meta.url), 'utf8');

/** As the file itself says: without `spec: {}` and without the first # of what follows. */
const uncommented = (): { metadata: { name: string }; spec: Record<string, unknown> } => {
  const [head = '', tail = ''] = text.split('spec: {}\n');
  return parse(`${head}${tail.replaceAll(/^# ?/gm, '')}`);
};

/** All of a policy but the functions in it. */
const valuesOf = ({ name: _name, ...policy }: Policy): unknown => JSON.parse(JSON.stringify(policy));

const policyOf = (object: Parameters<typeof parsePolicy>[0]): Policy => {
  const parsed = parsePolicy(object, { staleAfterMs: STALE_AFTER_MS });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.policy;
};

/** Every field there is, without those of list items: `drift.repair.action`. */
const fieldsOf = (schema: unknown, path: readonly string[] = []): readonly string[] => {
  let inner = schema as { unwrap?: () => unknown; shape?: Record<string, unknown>; type?: string };
  while (inner.unwrap !== undefined && inner.type !== 'array') inner = inner.unwrap() as typeof inner;
  if (inner.shape === undefined || path.at(-1) === 'namespaceSelector') return [path.join('.')];
  return Object.entries(inner.shape).flatMap(([key, field]) => fieldsOf(field, [...path, key]));
};

const has = (value: unknown, path: readonly string[]): boolean => {
  const [key, ...rest] = path;
  if (key === undefined) return true;
  return (
    typeof value === 'object' && value !== null && key in value && has((value as Record<string, unknown>)[key], rest)
  );
};

describe('the default policy', () => {
  test('sets nothing, and so says what holds without any', () => {
    const object = parse(text) as { metadata: { name: string }; spec: unknown };
    assert.deepEqual(object.spec, {});
    assert.deepEqual(valuesOf(policyOf(object)), valuesOf(builtInPolicy(STALE_AFTER_MS)));
  });

  test('shows the defaults in its comments as they are', () => {
    assert.deepEqual(valuesOf(policyOf(uncommented())), valuesOf(builtInPolicy(STALE_AFTER_MS)));
  });

  test('shows every field that there is', () => {
    const fields = fieldsOf(releasePolicySpec);
    assert.ok(fields.length > 15, fields.join(' '));
    const { spec } = uncommented();
    assert.deepEqual(
      fields.filter((field) => !has(spec, field.split('.'))),
      [],
    );
  });
});
