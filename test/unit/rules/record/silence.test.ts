import { describe } from 'node:test';
import type { Claim } from '../../../../src/rules/in-flight.ts';
import { claim, NOW_MS, record, STALE_AFTER_MS, write } from '../releases.ts';
import { deployed, silentClaim, testCases } from './cases.ts';

describe('an operation whose holder has asked for a shorter silence', () => {
  const silent = (ms: number) => ({ updatedAtMs: NOW_MS - ms });
  const quick = (renewedAgoMs: number): Claim =>
    claim('upgrade', 2, 'ann', { renewedAtMs: NOW_MS - renewedAgoMs, silenceMs: 40_000 });
  const next = write('bob', undefined, record(3, 'pending-upgrade'));
  const records = [deployed, record(2, 'pending-upgrade', silent(60_000))];
  testCases([
    {
      name: 'it is in flight while its holder renews, however old its record is',
      records: [deployed, record(2, 'pending-upgrade', silent(STALE_AFTER_MS))],
      claim: quick(39_000),
      write: next,
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'it is dead after the silence that its holder asked for',
      records,
      claim: quick(40_000),
      write: next,
      expect: 'takeover upgrade v3 over stale v2',
    },
    {
      name: 'a silence longer than the policy allows does not count',
      records: [deployed, record(2, 'pending-upgrade', silent(STALE_AFTER_MS))],
      claim: { ...silentClaim('upgrade', 2, 'ann'), silenceMs: 2 * STALE_AFTER_MS },
      write: next,
      expect: 'takeover upgrade v3 over stale v2',
    },
  ]);
});
