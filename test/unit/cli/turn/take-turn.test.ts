import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  EMPTY,
  type LockState,
  MAX_WAITERS,
  readLock,
  type StoredLease,
  toLockLease,
} from '../../../../src/cli/turn/lock-lease.ts';
import { createObserver, type Observer } from '../../../../src/cli/turn/observer.ts';
import { leaveLock, type Me, type Turn, takeTurn } from '../../../../src/cli/turn/take-turn.ts';
import { DEFAULT_INTERVALS } from '../../../../src/intervals/intervals.ts';

const { silenceMs, renewEveryMs } = DEFAULT_INTERVALS.lock;

const me = (id: string): Me => ({ id, operation: 'upgrade', stepMs: 300_000, sinceMs: 0 });

/** One process with its own clock, which runs as fast as all others but tells another time. */
const party = (id: string, clock: { nowMs: number }, skewMs = 0, ownSilenceMs: number = silenceMs) => {
  const observer: Observer = createObserver(() => clock.nowMs + skewMs);
  let lastBeatMs = Number.NEGATIVE_INFINITY;
  return {
    id,
    look: (state: LockState): Turn => {
      const isBeatDue = clock.nowMs - lastBeatMs >= renewEveryMs;
      const turn = takeTurn(state, me(id), observer, {
        nowMs: clock.nowMs + skewMs,
        beat: `${clock.nowMs + skewMs}`,
        isBeatDue,
        silenceMs: ownSilenceMs,
      });
      if (turn.do === 'queue') lastBeatMs = clock.nowMs;
      return turn;
    },
  };
};

describe('a lock that is asked for', () => {
  test('is taken at once when it is free', () => {
    const turn = party('a', { nowMs: 0 }).look(EMPTY);
    assert.equal(turn.do, 'take');
  });

  test('is waited for while its holder renews it, however its clock goes', () => {
    const clock = { nowMs: 0 };
    const [a, b] = [party('a', clock, 86_400_000), party('b', clock, -86_400_000)];
    const taken = a.look(EMPTY);
    assert.ok(taken.do === 'take');
    let state: LockState = taken.write;
    for (let i = 0; i < 100; i += 1) {
      clock.nowMs += renewEveryMs;
      state = { ...state, holder: state.holder && { ...state.holder, beat: String(i) } };
      const turn = b.look(state);
      assert.notEqual(turn.do, 'take');
      if (turn.do === 'queue') state = turn.write;
    }
  });

  test('is taken from a silent holder in under a minute, with a note about that holder', () => {
    const clock = { nowMs: 0 };
    const [a, b] = [party('a', clock), party('b', clock)];
    const taken = a.look(EMPTY);
    assert.ok(taken.do === 'take');
    let state: LockState = taken.write;
    for (;;) {
      const turn = b.look(state);
      if (turn.do === 'take') {
        assert.equal(turn.write.holder?.id, 'b');
        assert.deepEqual(turn.write.left, { id: 'a', operation: 'upgrade', stepMs: 300_000, how: 'vanished' });
        break;
      }
      if (turn.do === 'queue') state = turn.write;
      clock.nowMs += 1_000;
      assert.ok(clock.nowMs < 60_000);
    }
    assert.ok(clock.nowMs >= silenceMs);
  });

  test('is taken from a silent holder after the time in its Lease, whatever the interval of this process is', () => {
    const clock = { nowMs: 0 };
    const [patient, hasty] = [party('patient', clock), party('hasty', clock, 0, 5_000)];
    const taken = patient.look(EMPTY);
    assert.ok(taken.do === 'take');
    const queued = hasty.look(taken.write);
    assert.ok(queued.do === 'queue');
    for (; clock.nowMs < silenceMs; clock.nowMs += 1_000) assert.notEqual(hasty.look(queued.write).do, 'take');
    assert.equal(hasty.look(queued.write).do, 'take');
  });

  test('a waiter that has vanished holds nobody up for longer than a minute', () => {
    const clock = { nowMs: 0 };
    const [gone, next] = [party('gone', clock), party('next', clock)];
    const holder = { id: 'h', operation: 'upgrade', sinceMs: 0, stepMs: 1, beat: '0', silenceMs };
    let state: LockState = { ...EMPTY, holder };
    for (const one of [gone, next]) {
      const turn = one.look(state);
      assert.ok(turn.do === 'queue');
      state = turn.write;
    }
    state = { ...state, holder: undefined };
    while (clock.nowMs < 60_000) {
      const turn = next.look(state);
      if (turn.do === 'take') return;
      if (turn.do === 'queue') state = turn.write;
      clock.nowMs += 1_000;
    }
    assert.fail('it still waits');
  });

  test('a queue that is full is waited for outside of it', () => {
    const queue = Array.from({ length: MAX_WAITERS }, (_, i) => ({
      id: `w${i}`,
      operation: 'any',
      sinceMs: 0,
      beat: '',
    }));
    const turn = party('late', { nowMs: 0 }).look({ ...EMPTY, queue });
    assert.deepEqual(turn, { do: 'wait', ahead: MAX_WAITERS });
  });
});

test('the first to come is served first, and never two at once', () => {
  const steps = fc.array(fc.tuple(fc.nat(9), fc.boolean()), { minLength: 50, maxLength: 400 });
  fc.assert(
    fc.property(steps, (looks) => {
      const clock = { nowMs: 0 };
      const parties = Array.from({ length: 10 }, (_, i) => party(`p${i}`, clock, i * 1_000_000));
      let state: LockState = EMPTY;
      const joined: string[] = [];
      const served: string[] = [];
      for (const [index, ends] of looks) {
        clock.nowMs += 100; // 400 looks: nobody is silent for too long
        const one = parties[index];
        if (one === undefined || served.includes(one.id)) {
          if (ends && one !== undefined && state.holder?.id === one.id)
            state = leaveLock(state, one.id, undefined) ?? EMPTY;
          continue;
        }
        const turn = one.look(state);
        if (turn.do === 'take') {
          assert.equal(state.holder, undefined);
          if (!joined.includes(one.id)) joined.push(one.id);
          served.push(one.id);
        }
        if (turn.do === 'queue' && !joined.includes(one.id)) joined.push(one.id);
        if (turn.do !== 'wait') state = turn.write;
      }
      assert.deepEqual(served, joined.slice(0, served.length));
    }),
  );
});

describe('what is given back', () => {
  const holder = { id: 'a', operation: 'upgrade', sinceMs: 0, stepMs: 1, beat: '0', silenceMs };
  const waiter = { id: 'b', operation: 'upgrade', sinceMs: 0, beat: '0' };
  test('leaves nothing when nobody waits', () =>
    assert.equal(leaveLock({ ...EMPTY, holder }, 'a', undefined), undefined));
  test('leaves the queue to those who wait', () =>
    assert.deepEqual(leaveLock({ ...EMPTY, holder, queue: [waiter] }, 'a', undefined), { ...EMPTY, queue: [waiter] }));
  test('is a place in the queue, and no more', () =>
    assert.deepEqual(leaveLock({ ...EMPTY, holder, queue: [waiter] }, 'b', undefined), { ...EMPTY, holder }));
  test('keeps a note on what was left unfinished', () => {
    const left = { id: 'a', operation: 'upgrade', stepMs: 1, how: 'ended', revision: 2 } as const;
    assert.deepEqual(leaveLock({ ...EMPTY, holder }, 'a', left), { ...EMPTY, left });
  });
});

test('a Lease is read as it was written, and a spoilt Lease is read without wrong values', () => {
  const state: LockState = {
    holder: {
      id: 'a',
      operation: 'upgrade',
      sinceMs: 1_000,
      stepMs: 5_000,
      beat: '2026-01-01T00:00:00.000000Z',
      silenceMs,
    },
    queue: [{ id: 'b', operation: 'rollback', sinceMs: 2_000, beat: 'x' }],
    left: { id: 'c', operation: 'upgrade', stepMs: 5_000, how: 'vanished' },
  };
  const lease = toLockLease({ namespace: 'shop', release: 'web' }, state, undefined) as unknown as StoredLease;
  assert.deepEqual(readLock(lease), state);
  const spoilt = {
    ...lease,
    metadata: {
      ...lease.metadata,
      annotations: {
        'belay.dev/lock-queue': '[{"id":1},null]',
        'belay.dev/lock-left': '{',
        'belay.dev/lock-holder': '7',
      },
    },
  };
  const { holder, queue, left } = readLock(spoilt);
  assert.equal(holder?.id, 'a');
  assert.deepEqual([queue, left], [[], undefined]);
});
