import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createEventLimiter, type EventLimiter, type Occurrence } from '../../../src/events/event-limiter.ts';
import { DEFAULT_INTERVALS } from '../../../src/intervals/intervals.ts';

const { seriesMs } = DEFAULT_INTERVALS.events;

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');

const of = (more: Partial<Occurrence> = {}): Occurrence => ({
  reason: 'DriftRefused',
  release: { namespace: 'shop', name: 'web' },
  namespace: 'shop',
  object: undefined,
  ...more,
});

const admittedOf = (limiter: EventLimiter, occurrences: readonly Occurrence[], nowMs = NOW_MS): number =>
  occurrences.filter((occurrence) => limiter.admit(occurrence, nowMs).admitted).length;

const many = (count: number, make: (index: number) => Partial<Occurrence>): readonly Occurrence[] =>
  Array.from({ length: count }, (_, index) => of(make(index)));

test('the same thing has one Event a minute, and the next Event counts the occurrences in between', () => {
  const limiter = createEventLimiter(seriesMs);
  const admit = (afterMs: number) => limiter.admit(of(), NOW_MS + afterMs);
  assert.deepEqual(admit(0), { admitted: true, times: 1 });
  for (let i = 1; i < 20; i += 1) assert.deepEqual(admit(i * 3_000), { admitted: false, why: 'held' });
  assert.deepEqual(admit(59_999), { admitted: false, why: 'held' });
  assert.deepEqual(admit(60_000), { admitted: true, times: 21 });
  assert.deepEqual(admit(120_000), { admitted: true, times: 1 });
});

test('an occurrence that another replica has just written is counted by the next Event', () => {
  const limiter = createEventLimiter(seriesMs);
  limiter.admit(of(), NOW_MS);
  limiter.hold(of(), 1);
  assert.deepEqual(limiter.admit(of(), NOW_MS + 60_000), { admitted: true, times: 2 });
});

test('occurrences that were held back an hour ago are forgotten', () => {
  const limiter = createEventLimiter(seriesMs);
  limiter.admit(of(), NOW_MS);
  limiter.admit(of(), NOW_MS + 1);
  assert.deepEqual(limiter.admit(of(), NOW_MS + 3_600_000), { admitted: true, times: 1 });
});

test('a clock that was set back does not hold Events back until it has caught up', () => {
  const limiter = createEventLimiter(seriesMs);
  limiter.admit(of(), NOW_MS);
  assert.equal(limiter.admit(of(), NOW_MS - 3_600_000).admitted, true);
});

describe('different things have Events of their own', () => {
  const others: Record<string, Partial<Occurrence>> = {
    'another reason': { reason: 'FrozenWriteRefused' },
    'another release': { release: { namespace: 'shop', name: 'api' } },
    'a release of that name elsewhere': { release: { namespace: 'bar', name: 'web' }, namespace: 'bar' },
    'the object beside the record': { object: 'Deployment web' },
  };
  for (const [name, more] of Object.entries(others)) {
    test(name, () => {
      const limiter = createEventLimiter(seriesMs);
      assert.equal(admittedOf(limiter, [of(), of(more)]), 2);
    });
  }
});

describe('somebody who provokes refusals', () => {
  const cases: Record<string, { occurrences: readonly Occurrence[]; admitted: number }> = {
    'on many objects of one release': {
      occurrences: many(500, (i) => ({ object: `ConfigMap c${i}` })),
      admitted: 10,
    },
    'on many objects, for many reasons': {
      occurrences: many(500, (i) => ({ object: `ConfigMap c${i % 50}`, reason: `Reason${i % 7}` })),
      admitted: 10,
    },
    'on objects of many releases': {
      occurrences: many(5_000, (i) => ({
        object: `ConfigMap c${i}`,
        release: { namespace: 'shop', name: `r${i % 500}` },
      })),
      admitted: 60,
    },
    'with records of many releases': {
      occurrences: many(20_000, (i) => ({ release: { namespace: 'shop', name: `r${i}` } })),
      admitted: 20,
    },
  };
  for (const [name, { occurrences, admitted }] of Object.entries(cases)) {
    test(name, () => {
      const limiter = createEventLimiter(seriesMs);
      assert.equal(admittedOf(limiter, occurrences), admitted);
      assert.equal(admittedOf(limiter, occurrences, NOW_MS + 59_999), 0);
      assert.equal(admittedOf(limiter, occurrences, NOW_MS + 60_000), admitted);
    });
  }

  test('does not suppress the Events of others', () => {
    const limiter = createEventLimiter(seriesMs);
    admittedOf(
      limiter,
      many(1_000, (i) => ({ object: `ConfigMap c${i}` })),
    );
    admittedOf(
      limiter,
      many(1_000, (i) => ({ reason: 'RecordWriteRefused', release: { namespace: 'shop', name: `r${i}` } })),
    );
    assert.equal(limiter.admit(of({ reason: 'FrozenWriteRefused' }), NOW_MS).admitted, true);
    assert.equal(limiter.admit(of({ namespace: 'bar' }), NOW_MS).admitted, true);
  });
});
