import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFairCache } from '../../../src/kubernetes/fair-cache.ts';

test('what one owner stores pushes out nothing of an owner that holds less', () => {
  const cache = createFairCache<string>(100);
  cache.set('honest', 'web', 'manifest', 20);
  for (let index = 0; index < 1_000; index += 1) cache.set('hostile', `r${index}`, 'large', 30);
  assert.equal(cache.get('honest', 'web'), 'manifest');
  assert.equal(cache.get('hostile', 'r999'), 'large');
  assert.equal(cache.get('hostile', 'r1'), undefined);
  assert.equal(cache.bytes(), 80);
});

test('what was not used for the longest time goes first', () => {
  const cache = createFairCache<number>(3);
  for (const key of ['a', 'b', 'c']) cache.set('team', key, 1, 1);
  cache.get('team', 'a');
  cache.set('team', 'd', 1, 1);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => cache.get('team', key)),
    [1, undefined, 1, 1],
  );
});

test('what is larger than the cache is not kept, and costs nothing that is', () => {
  const cache = createFairCache<string>(10);
  cache.set('team', 'a', 'small', 5);
  cache.set('team', 'b', 'large', 11);
  assert.equal(cache.get('team', 'a'), 'small');
  assert.equal(cache.get('team', 'b'), undefined);
});

test('a value that is stored again is counted once', () => {
  const cache = createFairCache<string>(10);
  for (let time = 0; time < 5; time += 1) cache.set('team', 'a', 'x', 6);
  assert.equal(cache.bytes(), 6);
  cache.set('team', 'a', 'x', 11);
  assert.equal(cache.get('team', 'a'), undefined);
  assert.equal(cache.bytes(), 0);
});
