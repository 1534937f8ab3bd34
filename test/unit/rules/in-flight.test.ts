import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findOperation } from '../../../src/rules/in-flight.ts';
import { CLOCK, claim, NOW_MS, record, STALE_AFTER_MS } from './releases.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

describe('the last sign of life of an operation', () => {
  /** A time that a user has forged in a label, or that a wrong clock gave. */
  const pending = (aheadMs: number) => record(2, 'pending-upgrade', { updatedAtMs: NOW_MS + aheadMs });
  const stateOf = (aheadMs: number, renewedAtMs?: number): string => {
    const held =
      renewedAtMs === undefined
        ? undefined
        : claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - STALE_AFTER_MS, renewedAtMs });
    return findOperation({ records: [record(1, 'deployed'), pending(aheadMs)], claim: held }, CLOCK).state;
  };

  test('a time far ahead is no sign of life', () => {
    assert.equal(stateOf(DAY_MS), 'dead');
    assert.equal(stateOf(DAY_MS, NOW_MS - STALE_AFTER_MS), 'dead');
    assert.equal(stateOf(-STALE_AFTER_MS, NOW_MS + DAY_MS), 'dead');
  });

  test('a time far ahead leaves the other signs of life valid', () => {
    assert.equal(stateOf(DAY_MS, NOW_MS - MINUTE_MS), 'in-flight');
    assert.equal(stateOf(-MINUTE_MS, NOW_MS + DAY_MS), 'in-flight');
  });

  test('a time some minutes ahead is a sign of life', () => {
    assert.equal(stateOf(2 * MINUTE_MS), 'in-flight');
  });
});
