import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ReleaseRecord } from '../../../src/helm/record.ts';
import { recordsOfStorage } from '../../../src/rules/storage-kind.ts';
import { claim, NOW_MS, record } from './releases.ts';

const at = (kind: ReleaseRecord['kind'], revision: number, second: number): ReleaseRecord =>
  record(revision, 'deployed', { kind, createdAtMs: NOW_MS + second * 1000 });

describe('the kind of objects in which a release is stored', () => {
  const names = (records: readonly ReleaseRecord[], own?: Parameters<typeof recordsOfStorage>[1]) =>
    recordsOfStorage(records, own).map(({ kind, revision }) => `${kind} ${revision}`);

  test('is that of all its records', () => {
    const records = [at('ConfigMap', 1, 0), at('ConfigMap', 2, 1)];
    assert.equal(recordsOfStorage(records, undefined), records);
    assert.deepEqual(names([]), []);
  });

  test('is that of the records that were there first, whatever the revisions', () => {
    assert.deepEqual(names([at('ConfigMap', 99, 5), at('Secret', 1, 0), at('Secret', 2, 9)]), ['Secret 1', 'Secret 2']);
    assert.deepEqual(names([at('ConfigMap', 1, 0), at('Secret', 99, 5)]), ['ConfigMap 1']);
  });

  test('is Secrets where both came within one second, as in a restore', () => {
    assert.deepEqual(names([at('ConfigMap', 2, 0), at('Secret', 1, 0)]), ['Secret 1']);
  });

  test('stays that of the last admitted operation when older records are pruned', () => {
    const records = [at('ConfigMap', 1, 0), at('Secret', 8, 5)];
    assert.deepEqual(names(records, claim('upgrade', 8, 'ci', { storage: 'Secret' })), ['Secret 8']);
  });

  test('is not that of an operation whose records are all gone', () => {
    const records = [at('ConfigMap', 1, 0)];
    assert.deepEqual(names(records, claim('upgrade', 8, 'ci', { storage: 'Secret' })), ['ConfigMap 1']);
  });

  test('is not told by a claim of 0.1.0', () => {
    assert.deepEqual(names([at('ConfigMap', 8, 5), at('Secret', 1, 0)], claim('upgrade', 8, 'eve')), ['Secret 1']);
  });
});
