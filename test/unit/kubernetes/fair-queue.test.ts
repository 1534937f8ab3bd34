import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFairQueue, type FairQueueBounds } from '../../../src/kubernetes/fair-queue.ts';
import { Overload } from '../../../src/kubernetes/overload.ts';

const BOUNDS: FairQueueBounds = { maxRunning: 1, maxRunningEach: 1, maxWaiting: 100, maxWaitingEach: 10 };
const NEVER = new AbortController().signal;

/** A queue whose jobs end when the test says so, in the order in which they began. */
const openQueue = (bounds: Partial<FairQueueBounds> = {}) => {
  const queue = createFairQueue('jobs', { ...BOUNDS, ...bounds });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const add = (owner: string, signal = NEVER): Promise<void> => {
    const job = () =>
      new Promise<void>((resolve) => {
        begun.push(owner);
        ends.push(resolve);
      });
    return queue.run(owner, job, signal);
  };
  const endOldest = async (): Promise<void> => {
    ends.shift()?.();
    await new Promise(setImmediate);
  };
  return { queue, begun, add, endOldest };
};

test('the backlog of one tenant delays another by no more than the job that runs', async () => {
  const { begun, add, endOldest } = openQueue();
  const jobs = ['a', 'a', 'a', 'a'].map((owner) => add(owner));
  jobs.push(add('b'));
  for (let ended = 0; ended < 5; ended += 1) await endOldest();
  await Promise.all(jobs);
  assert.deepEqual(begun, ['a', 'b', 'a', 'a', 'a']);
});

test('tenants take turns', async () => {
  const { begun, add, endOldest } = openQueue();
  const jobs = ['a', 'a', 'a', 'b', 'b', 'b', 'c'].map((owner) => add(owner));
  for (let ended = 0; ended < 7; ended += 1) await endOldest();
  await Promise.all(jobs);
  assert.deepEqual(begun, ['a', 'b', 'c', 'a', 'b', 'a', 'b']);
});

test('one tenant never takes all places', async () => {
  const { queue, begun, add, endOldest } = openQueue({ maxRunning: 2 });
  const jobs = ['a', 'a'].map((owner) => add(owner));
  assert.deepEqual([queue.running(), queue.waiting()], [1, 1]);
  jobs.push(add('b'));
  assert.deepEqual(begun, ['a', 'b']);
  for (let ended = 0; ended < 3; ended += 1) await endOldest();
  await Promise.all(jobs);
  assert.deepEqual([queue.running(), queue.waiting()], [0, 0]);
});

test('a tenant whose own jobs wait is refused at its own bound, and another one is not', async () => {
  const { queue, add } = openQueue({ maxWaitingEach: 2 });
  const running = [add('a'), add('a'), add('a')];
  await assert.rejects(add('a'), Overload);
  running.push(add('b'));
  assert.equal(queue.waiting(), 3);
});

test('beyond the bound on all, the next is refused and leaves nothing behind', async () => {
  const { queue, add, endOldest } = openQueue({ maxWaiting: 1 });
  const jobs = [add('a'), add('b')];
  await assert.rejects(add('c'), Overload);
  await endOldest();
  await endOldest();
  await Promise.all(jobs);
  assert.deepEqual([queue.running(), queue.waiting()], [0, 0]);
});

test('a job that waits is given up when its signal fires, and one that runs is not', async () => {
  const { queue, begun, add, endOldest } = openQueue();
  const controller = new AbortController();
  const running = add('a', controller.signal);
  const waiting = add('b', controller.signal);
  controller.abort(new Error('too late'));
  await assert.rejects(waiting, /too late/);
  assert.equal(queue.waiting(), 0);
  await endOldest();
  await running;
  assert.deepEqual(begun, ['a']);
  await assert.rejects(add('a', controller.signal), /too late/);
});

test('a job that fails makes room for the next', async () => {
  const queue = createFairQueue('jobs', BOUNDS);
  const failed = queue.run('a', () => Promise.reject(new Error('no')), NEVER);
  const next = queue.run('a', () => Promise.resolve('yes'), NEVER);
  await assert.rejects(failed, /no/);
  assert.equal(await next, 'yes');
});

test('an owner rests after a long job, and the others go on meanwhile', async () => {
  const queue = createFairQueue('jobs', { maxRunning: 2, maxRunningEach: 1, maxWaiting: 9, maxWaitingEach: 9 });
  const { signal } = new AbortController();
  const order: string[] = [];
  const job = (name: string) => async () => void order.push(name);
  await queue.run(
    'loud',
    async (rest) => {
      rest(20);
      order.push('long');
    },
    signal,
  );
  const next = queue.run('loud', job('next'), signal);
  await queue.run('quiet', job('quiet'), signal);
  assert.deepEqual(order, ['long', 'quiet']);
  await next;
  assert.deepEqual(order, ['long', 'quiet', 'next']);
});

test('the bytes that wait are bounded for each owner and in sum', async () => {
  const queue = createFairQueue('jobs', {
    ...{ maxRunning: 1, maxRunningEach: 1, maxWaiting: 9, maxWaitingEach: 9 },
    ...{ maxWaitingBytes: 10, maxWaitingBytesEach: 6 },
  });
  const { signal } = new AbortController();
  let end = (): void => {};
  const first = queue.run('a', () => new Promise<void>((resolve) => (end = resolve)), signal, 100);
  const waiting = [queue.run('a', async () => {}, signal, 6), queue.run('b', async () => {}, signal, 4)];
  await assert.rejects(
    queue.run('a', async () => {}, signal, 1),
    Overload,
  );
  await assert.rejects(
    queue.run('c', async () => {}, signal, 1),
    Overload,
  );
  end();
  await Promise.all([first, ...waiting]);
  await queue.run('c', async () => {}, signal, 1);
});
