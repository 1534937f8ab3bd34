import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { EXAMPLE_TIME, LOCK_ANNOTATIONS, type LockAnnotation } from '../../../docs/generate/annotation-reference.ts';
import { CLAIM_ANNOTATIONS } from '../../../docs/generate/annotations.ts';
import { AUDIT_ANNOTATIONS } from '../../../docs/generate/audit-annotations.ts';
import { type PolicyField, policyFields } from '../../../docs/generate/policy-fields.ts';
import { referenceText } from '../../../docs/generate/reference.ts';
import { EVENT_REASONS } from '../../../src/events/event-reasons.ts';
import { CLAIM_LABEL, toLease, UNINSTALL_REFUSED } from '../../../src/facts/claim-lease.ts';
import { judgeLockChange } from '../../../src/policy/judge-lock-change.ts';
import type { LockSource } from '../../../src/policy/lock.ts';
import { parsePolicy } from '../../../src/policy/parse-policy.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SRC = join(ROOT, 'src');

let reference: string;
let sources: string;

before(async () => {
  reference = await readFile(join(ROOT, 'docs/reference.md'), 'utf8');
  const files = (await readdir(SRC, { recursive: true })).filter((file) => file.endsWith('.ts'));
  sources = (await Promise.all(files.map((file) => readFile(join(SRC, file), 'utf8')))).join('\n');
});

test('the reference that is checked in is the one that the source makes', async () => {
  assert.equal(reference, await referenceText(), 'out of date: run `make generate`');
});

describe('the reference is complete', () => {
  /** Each of them stands in the reference as code, and there are some at all. */
  const areIn = (found: Iterable<string>): void => {
    const names = [...new Set(found)];
    assert.ok(names.length > 0);
    assert.deepEqual(
      names.filter((name) => !new RegExp(`\`${name.replaceAll('.', '\\.')}(=true)?\``).test(reference)),
      [],
    );
  };
  const inSources = (pattern: RegExp): string[] => [...sources.matchAll(pattern)].map(([, name = '']) => name);

  test('codes', () => areIn(inSources(/code: '(Belay\w+)'/g)));
  test('Events', () => areIn(Object.keys(EVENT_REASONS)));
  test('metrics', () => areIn(inSources(/'(belay_[a-z_]+)'/g)));
  test('annotations and labels', () => {
    const isVersion = (key: string): boolean => key === 'belay.dev/v1alpha1';
    areIn(inSources(/'(belay\.dev\/[a-z0-9-]+)'/g).filter((key) => !isVersion(key)));
  });
  test('audit annotations', () => {
    const literal = inSources(/audit: \{ '?([a-z-]+)'?:/g);
    areIn([...literal, ...inSources(/'([a-z-]+)': toAuditNote/g), ...Object.keys(AUDIT_ANNOTATIONS)]);
  });
  test('policy fields', () => areIn(policyFields('spec').map(({ path }) => path.replaceAll('[]', '\\[\\]'))));
});

describe('the reference is right about annotations', () => {
  const nowMs = Date.parse(EXAMPLE_TIME) - 1;
  const record: LockSource = { kind: 'Secret', namespace: 'shop', name: 'sh.helm.release.v1.web.v1' };
  const namespace: LockSource = { kind: 'Namespace', namespace: '', name: 'shop' };

  for (const [key, { example, besides, standsOn, value }] of Object.entries(LOCK_ANNOTATIONS)) {
    if (example === undefined) continue;
    const problemsOf = (text: string, source: LockSource) =>
      judgeLockChange({}, { ...besides, [key]: text }, nowMs, source).problems;

    test(`${key}: its example is taken, where it may stand`, () => {
      assert.deepEqual(problemsOf(example, record), []);
      assert.equal(problemsOf(example, namespace).length === 0, standsOn.includes('Namespace'));
    });
    if (value.includes('512')) {
      test(`${key}: 512 characters are taken, and no more`, () => {
        assert.deepEqual(problemsOf('x'.repeat(512), record), []);
        assert.equal(problemsOf('x'.repeat(513), record).length, 1);
      });
    }
  }

  test('those of a claim are those that Belay writes', () => {
    const { metadata } = toLease({
      ...{ release: { namespace: 'shop', name: 'web' }, holder: 'ci', operation: 'uninstall', revision: 1 },
      ...{ requestUid: 'x', recordVersion: '1', storage: 'Secret', nowMs: 0, staleAfterMs: 0, previous: undefined },
    }) as { metadata: { annotations: object; labels: object } };
    const written = [...Object.keys(metadata.annotations), UNINSTALL_REFUSED];
    assert.deepEqual(written.sort(), Object.keys(CLAIM_ANNOTATIONS).sort());
    assert.ok(CLAIM_LABEL in metadata.labels);
  });

  test('Belay alone writes freeze-by', () => {
    const by: LockAnnotation = 'belay.dev/freeze-by';
    assert.deepEqual(judgeLockChange({}, { [by]: 'ceo' }, nowMs, record).keys, []);
  });
});

/** `"", any version` -> ``: what stands first is the value, where the default is one. */
const defaultOf = ({ path, fallback = '' }: PolicyField): unknown => {
  if (path === 'spec.operations.staleAfter') return '10m';
  const [word = ''] = /^("[^"]*"|[^\s,]+)/.exec(fallback) ?? [];
  return /^("|\d+$|true$|false$)/.test(word) ? JSON.parse(word) : word;
};

test('a policy that states every default of the reference is the same as one that states nothing', () => {
  const spec: Record<string, unknown> = {};
  const stated = policyFields('spec').filter(
    ({ path, fallback }) => fallback !== undefined && !path.includes('[]') && !path.startsWith('spec.match'),
  );
  assert.ok(stated.length > 10);
  for (const field of stated) {
    const [last = '', ...above] = field.path.split('.').slice(1).reverse();
    const parent = above.reverse().reduce<Record<string, unknown>>((at, name) => {
      at[name] ??= {};
      return at[name] as Record<string, unknown>;
    }, spec);
    parent[last] = defaultOf(field);
  }
  const read = (given: object): unknown => {
    const parsed = parsePolicy({ metadata: { name: 'x' }, spec: given }, { staleAfterMs: 600_000 });
    assert.ok(parsed.ok, JSON.stringify(parsed));
    return JSON.parse(JSON.stringify(parsed.policy));
  };
  assert.deepEqual(read(spec), read({}));
});
