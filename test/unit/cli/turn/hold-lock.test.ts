import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { acquireLock, type LockDependencies } from '../../../../src/cli/turn/hold-lock.ts';
import { readLock, type StoredLease, toLockLease } from '../../../../src/cli/turn/lock-lease.ts';
import { type LockStore, NamespaceMissing } from '../../../../src/cli/turn/lock-store.ts';
import { createWaitLimit } from '../../../../src/cli/turn/wait-limit.ts';
import { DEFAULT_INTERVALS } from '../../../../src/intervals/intervals.ts';

const TARGET = { namespace: 'shop', release: 'web' };

/** One Lease in memory, with the compare-and-swap of an API server. */
const createStore = () => {
  let stored: StoredLease | undefined;
  let version = 0;
  const isCurrent = (lease: StoredLease | undefined): boolean =>
    lease?.metadata.resourceVersion === stored?.metadata.resourceVersion;
  const store: LockStore = {
    read: async () => {
      await setImmediate();
      return stored;
    },
    write: async (target, state, previous) => {
      await setImmediate();
      if (!isCurrent(previous)) return undefined;
      const lease = toLockLease(target, state, previous) as unknown as StoredLease;
      version += 1;
      stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(version), uid: 'uid' } };
      return stored;
    },
    remove: async (_target, lease) => {
      await setImmediate();
      if (!isCurrent(lease)) return false;
      stored = undefined;
      return true;
    },
  };
  return { store, state: () => (stored === undefined ? undefined : readLock(stored)) };
};

const createClock = () => {
  const clock = { nowMs: 0 };
  const sleep = async (ms: number): Promise<void> => {
    await setImmediate();
    clock.nowMs += ms / 20; // twenty sleep at a time
  };
  return { nowMs: () => clock.nowMs, wallMs: () => clock.nowMs, sleep, pause: sleep };
};

const dependencies = (id: string, store: LockStore, more: Partial<LockDependencies> = {}): LockDependencies => {
  const clock = createClock();
  return {
    ...clock,
    store,
    me: { id, operation: 'upgrade', stepMs: 1, sinceMs: 0 },
    waitLimit: createWaitLimit(600_000, clock.nowMs),
    intervals: DEFAULT_INTERVALS.lock,
    signal: new AbortController().signal,
    inherited: new Set(),
    onWait: () => undefined,
    ...more,
  };
};

describe('a lock', () => {
  test('is held by one of twenty processes at a time, by each of them once, and is gone at the end', async () => {
    const { store, state } = createStore();
    const clock = createClock();
    const waitLimit = createWaitLimit(600_000, clock.nowMs);
    let inside = 0;
    let served = 0;
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const held = await acquireLock(dependencies(`p${i}`, store, { ...clock, waitLimit }), TARGET);
        assert.ok(held);
        inside += 1;
        assert.equal(inside, 1);
        assert.equal(state()?.holder?.id, `p${i}`);
        await setImmediate();
        inside -= 1;
        served += 1;
        await held.giveBack(undefined);
      }),
    );
    assert.equal(served, 20);
    assert.equal(state(), undefined);
  });

  test('is given up with the place in the queue when the time to wait is over', async () => {
    const { store, state } = createStore();
    const held = await acquireLock(dependencies('holder', store), TARGET);
    const impatient = dependencies('impatient', store);
    const waitLimit = createWaitLimit(1_000, impatient.nowMs);
    const waits: number[] = [];
    const onWait = (_holder: unknown, ahead: number): void => {
      waits.push(ahead);
    };
    const given = await waitLimit.during(() => acquireLock({ ...impatient, waitLimit, onWait }, TARGET));
    assert.equal(given, undefined);
    assert.ok(waits.length > 0 && waits.every((ahead) => ahead === 0));
    assert.deepEqual(state()?.queue, []);
    assert.equal(state()?.holder?.id, 'holder');
    await held?.giveBack(undefined);
  });

  test('with no time to wait is still taken when it is free', async () => {
    const { store } = createStore();
    const clock = createClock();
    const waitLimit = createWaitLimit(0, clock.nowMs);
    const held = await waitLimit.during(() => acquireLock(dependencies('a', store, { ...clock, waitLimit }), TARGET));
    assert.ok(held);
    await held.giveBack(undefined);
  });

  test('is not waited for by a command inside of it', async () => {
    const { store, state } = createStore();
    const outer = await acquireLock(dependencies('outer', store), TARGET);
    const inner = await acquireLock(dependencies('inner', store, { inherited: new Set(['outer']) }), TARGET);
    assert.equal(inner?.isInherited, true);
    await inner?.giveBack(undefined);
    assert.equal(state()?.holder?.id, 'outer');
    await outer?.giveBack(undefined);
  });

  test('rejects with the error of the store', async () => {
    const { store } = createStore();
    const failing = { ...store, write: () => Promise.reject(new NamespaceMissing('x')) };
    await assert.rejects(acquireLock(dependencies('a', failing), TARGET), NamespaceMissing);
  });

  test('leaves a note for the next holder, and a proper end removes the note', async () => {
    const { store, state } = createStore();
    const left = { id: 'a', operation: 'upgrade', stepMs: 1, how: 'ended', revision: 2 } as const;
    await (await acquireLock(dependencies('a', store), TARGET))?.giveBack(left);
    const next = await acquireLock(dependencies('b', store), TARGET);
    assert.deepEqual(next?.left, left);
    await next?.giveBack(undefined);
    assert.equal(state(), undefined);
  });
});
