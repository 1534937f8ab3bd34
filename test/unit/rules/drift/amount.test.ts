import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameDuration, isSameQuantity } from '../../../../src/rules/drift/amount.ts';

test('equal quantities', () => {
  const same: readonly (readonly [unknown, unknown])[] = [
    ['1000m', '1'],
    [1, '1'],
    [0.5, '500m'],
    ['.5', '500m'],
    ['1Gi', '1024Mi'],
    ['1.5Gi', '1536Mi'],
    ['1e3', '1k'],
    ['1E', '1e18'],
    ['0', '0m'],
    ['-1', '-1000m'],
    ['100n', '0.1u'],
  ];
  for (const [left, right] of same) assert.ok(isSameQuantity(left, right), `${left} = ${right}`);
});

test('different quantities, and values that are no quantities', () => {
  const other: readonly (readonly [unknown, unknown])[] = [
    ['1000m', '2'],
    ['1Gi', '1G'],
    ['1', '-1'],
    ['', ''],
    ['.', '.'],
    ['m', 'm'],
    ['1x', '1x'],
    [true, true],
    [null, 0],
    ['9'.repeat(1000), '9'.repeat(1000)],
  ];
  for (const [left, right] of other) assert.ok(!isSameQuantity(left, right), `${left} = ${right}`);
});

test('durations are equal as Go writes them', () => {
  assert.ok(isSameDuration('5m', '5m0s'));
  assert.ok(isSameDuration('2160h', '2160h0m0s'));
  assert.ok(isSameDuration('90s', '1m30s'));
  assert.ok(!isSameDuration('5m', '6m'));
  assert.ok(!isSameDuration('5', '5'));
  assert.ok(!isSameDuration('', ''));
});
