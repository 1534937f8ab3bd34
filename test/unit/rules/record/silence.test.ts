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

describe('a write of the metadata of an unfinished revision', () => {
  const silent = record(2, 'pending-upgrade', { updatedAtMs: NOW_MS - STALE_AFTER_MS });
  const alive = { ...silent, updatedAtMs: NOW_MS };
  const dead = { records: [deployed, silent], claim: silentClaim('upgrade', 2, 'ann') } as const;
  const annotate = (user: string, after = alive) => write(user, silent, after, { contentChanged: false });
  testCases([
    { name: 'another user makes it look alive', ...dead, write: annotate('eve'), expect: 'BelayRecordProtected' },
    {
      name: 'another user makes it look alive while it is in flight',
      records: [deployed, silent],
      claim: claim('upgrade', 2, 'ann'),
      write: annotate('eve'),
      expect: 'BelayRecordProtected',
    },
    { name: 'its holder says that it is alive', ...dead, write: annotate('ann'), expect: 'metadata' },
    { name: 'another user annotates it', ...dead, write: annotate('eve', silent), expect: 'metadata' },
    {
      name: 'a user writes it whose operation began before Belay',
      records: dead.records,
      write: annotate('eve'),
      expect: 'metadata',
    },
    {
      name: 'another user writes a deployed revision',
      records: [deployed],
      write: write('eve', deployed, { ...deployed, updatedAtMs: NOW_MS }, { contentChanged: false }),
      expect: 'metadata',
    },
  ]);
});

describe('the holder of a dead uninstall', () => {
  const records = [record(1, 'uninstalling', { updatedAtMs: NOW_MS - STALE_AFTER_MS })];
  const late = { records, claim: silentClaim('uninstall', 1, 'ann'), write: write('ann', records[0], undefined) };
  testCases([
    { name: 'deletes the record late', ...late, expect: 'uninstall' },
    { name: 'deletes the record of a frozen release', ...late, frozen: true, expect: 'BelayFrozen' },
  ]);
});
