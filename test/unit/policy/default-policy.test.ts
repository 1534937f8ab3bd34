import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { parsePolicy } from '../../../src/policy/parse-policy.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { builtInPolicy } from '../../../src/policy/policy-in-force.ts';
import { releasePolicySpec } from '../../../src/policy/schema.ts';

/** manifests/policies/default.yaml sets nothing, and shows the defaults in comments. */

const STALE_AFTER_MS = 600_000;

const text = await readFile(new URL('../../../manifests/policies/default.yaml', import.meta.url), 'utf8');

/** The file with its comments as fields, as it tells its reader to do: without `spec: {}` and without the first # of each line below. */
const uncommented = (): { metadata: { name: string }; spec: Record<string, unknown> } => {
  const [head = '', tail = ''] = text.split('spec: {}\n');
  return parse(`${head}${tail.replaceAll(/^# ?/gm, '')}`);
};

/** A policy without its functions. */
const valuesOf = ({ name: _name, ...policy }: Policy): unknown => JSON.parse(JSON.stringify(policy));

const policyOf = (object: Parameters<typeof parsePolicy>[0]): Policy => {
  const parsed = parsePolicy(object, { staleAfterMs: STALE_AFTER_MS });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.policy;
};

/** The path of every field, such as `drift.repair.action`, without the fields of list items. */
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
  test('sets nothing, and so equals the built-in policy', () => {
    const object = parse(text) as { metadata: { name: string }; spec: unknown };
    assert.deepEqual(object.spec, {});
    assert.deepEqual(valuesOf(policyOf(object)), valuesOf(builtInPolicy(STALE_AFTER_MS)));
  });

  test('shows the true defaults in its comments', () => {
    assert.deepEqual(valuesOf(policyOf(uncommented())), valuesOf(builtInPolicy(STALE_AFTER_MS)));
  });

  test('shows every field', () => {
    const fields = fieldsOf(releasePolicySpec);
    assert.ok(fields.length > 15, fields.join(' '));
    const { spec } = uncommented();
    assert.deepEqual(
      fields.filter((field) => !has(spec, field.split('.'))),
      [],
    );
  });
});
