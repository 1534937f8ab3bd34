import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeObject } from '../../../src/drift/describe-drift.ts';
import type { DriftedField, ObjectDrift } from '../../../src/drift/findings.ts';
import { createKnownDrift } from '../../../src/drift/known-drift.ts';
import { DEFAULT_INTERVALS } from '../../../src/intervals/intervals.ts';
import { NOTHING_MORE } from '../../../src/policy/left-paths.ts';
import { live } from './objects.ts';

const { tellAgainMs } = DEFAULT_INTERVALS.sweep;

const field = (after: unknown, more: Partial<DriftedField> = {}): DriftedField => ({
  ...{ path: 'data.a', pointer: '/data/a', before: '1', after, secret: false, writer: undefined },
  ...more,
});
const drift = (name: string, ...changed: DriftedField[]): ObjectDrift => ({
  object: { group: '', kind: 'ConfigMap', namespace: 'shop', name },
  ...{ apiVersion: 'v1', problem: 'changed', changed, added: [], keep: false, method: 'apply', manager: 'helm' },
  ...{ live: live('v1', 'ConfigMap', {}), desired: {}, document: {}, left: NOTHING_MORE },
});
const release = { namespace: 'shop', name: 'web' };

describe('drift is told', () => {
  const told = (known: ReturnType<typeof createKnownDrift>, nowMs: number, ...drifted: ObjectDrift[]) =>
    known.note(release, drifted, nowMs).map(({ object }) => object.name);

  test('once for each object, again when the object has changed, and for all objects after a while', () => {
    const known = createKnownDrift(tellAgainMs);
    assert.deepEqual(told(known, 0, drift('a', field('2'))), ['a']);
    assert.deepEqual(told(known, 1, drift('a', field('2')), drift('b', field('2'))), ['b']);
    assert.deepEqual(told(known, 2, drift('a', field('3')), drift('b', field('2'))), ['a']);
    assert.deepEqual(told(known, tellAgainMs, drift('a', field('3')), drift('b', field('2'))), ['a', 'b']);
    assert.deepEqual([...known.releases()], [{ release, objects: 2 }]);
    assert.equal(known.objects().changed, 2);
    assert.equal(known.forget(release), true);
    assert.equal(known.forget(release), false);
  });

  test('with the fields, their writers and times, and without secrets', () => {
    const writer = { manager: 'kubectl-edit', atMs: 0 };
    assert.equal(
      describeObject(drift('a', field('2', { writer }), field('x', { path: 'data.b', secret: true }))),
      'is not as the chart has it: data.a: "1" -> "2" (kubectl-edit at 1970-01-01T00:00:00Z); data.b: (hidden) -> (hidden)',
    );
  });

  test('without control characters that others wrote', () => {
    const evil = field('\u001b[2J', { path: 'data.\u001b[2J', writer: { manager: '\u001b[2J', atMs: undefined } });
    assert.ok(!describeObject(drift('a', evil)).includes('\u001b'));
  });
});
