import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Api } from '../../../src/kubernetes/api.ts';
import { createBoundedApi } from '../../../src/kubernetes/bounded-api.ts';
import { Overload } from '../../../src/kubernetes/overload.ts';

/** An API that answers each request when the test says so. */
const createSlowApi = () => {
  const asked = new Map<string, PromiseWithResolvers<unknown>>();
  const api: Api = {
    request: <T>({ path }: { path: string }) => {
      const answer = Promise.withResolvers<unknown>();
      asked.set(path, answer);
      return answer.promise as Promise<T>;
    },
    async *watch() {
      yield { type: 'BOOKMARK', object: {} };
    },
  };
  return { api, asked };
};

test('beyond its bound, requests wait for their turn, in order', async () => {
  const { api, asked } = createSlowApi();
  const bounded = createBoundedApi(api, { maxAtOnce: 2, maxWaiting: 2 });
  const answers = ['a', 'b', 'c', 'd'].map((path) => bounded.request({ path }));
  await turn();
  assert.deepEqual([...asked.keys()], ['a', 'b']);
  assert.deepEqual([bounded.running(), bounded.waiting()], [2, 2]);
  await assert.rejects(bounded.request({ path: 'one too many' }), Overload);
  asked.get('b')?.resolve('of b');
  assert.equal(await answers[1], 'of b');
  await turn();
  assert.deepEqual([...asked.keys()], ['a', 'b', 'c']);
  asked.get('a')?.reject(new Error('broken'));
  await assert.rejects(async () => answers[0], /broken/);
  await turn();
  assert.deepEqual([...asked.keys()], ['a', 'b', 'c', 'd']);
  asked.get('c')?.resolve('of c');
  asked.get('d')?.resolve('of d');
  assert.deepEqual(await Promise.all(answers.slice(2)), ['of c', 'of d']);
  assert.deepEqual([bounded.running(), bounded.waiting()], [0, 0]);
});

test('a request whose deadline comes while it waits is never sent, and delays no other request', async () => {
  const { api, asked } = createSlowApi();
  const bounded = createBoundedApi(api, { maxAtOnce: 1, maxWaiting: 9 });
  const first = bounded.request({ path: 'first' });
  const deadline = new AbortController();
  const late = bounded.request({ path: 'late', signal: deadline.signal });
  const next = bounded.request({ path: 'next' });
  await turn();
  deadline.abort(new Error('too late'));
  await assert.rejects(late, /too late/);
  await assert.rejects(bounded.request({ path: 'never', signal: deadline.signal }), /too late/);
  asked.get('first')?.resolve('1');
  await first;
  await turn();
  asked.get('next')?.resolve('2');
  assert.equal(await next, '2');
  assert.deepEqual([...asked.keys()], ['first', 'next']);
  assert.deepEqual([bounded.running(), bounded.waiting()], [0, 0]);
});

test('watches do not count, because they would take up the bound for ever', async () => {
  const bounded = createBoundedApi(createSlowApi().api, { maxAtOnce: 1, maxWaiting: 9 });
  void bounded.request({ path: 'a' });
  await turn();
  for await (const { type } of bounded.watch({ path: 'b', signal: new AbortController().signal }))
    assert.equal(type, 'BOOKMARK');
});
