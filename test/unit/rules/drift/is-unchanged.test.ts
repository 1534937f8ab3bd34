import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { isUnchanged } from '../../../../src/rules/drift/is-unchanged.ts';
import { edit, liveDeployment } from './fixtures.ts';

const before: KubernetesObject = liveDeployment;

test('an update of the status, and metadata that the API server writes, change nothing', () => {
  const after = edit(
    before,
    ['/status/replicas', 3],
    ['/status/x', {}],

    ['/metadata/resourceVersion', '11'],
    ['/metadata/generation', 2],
  );
  assert.equal(isUnchanged(before, after), true);
  assert.equal(isUnchanged(before, edit(after, ['/status'])), true);
});

test('every other field counts as a change', () => {
  for (const [pointer, value] of [
    ['/spec/replicas', 3],
    ['/metadata/labels/x', 'y'],
    ['/metadata/annotations/shop.example~1team', undefined],
    ['/metadata/finalizers', ['x']],
    ['/metadata/labels', undefined],
    ['/metadata', undefined],
    ['/spec/template/spec/containers/0/args/-', 'x'],
    ['/data', {}],
    ['/spec/selector', []],
  ] as const) {
    assert.equal(isUnchanged(before, edit(before, [pointer, value])), false, pointer);
    assert.equal(isUnchanged(edit(before, [pointer, value]), before), false, pointer);
  }
});
