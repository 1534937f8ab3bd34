import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_INTERVALS } from '../../../src/intervals/intervals.ts';
import { type ClaimWrite, judgeClaim } from '../../../src/rules/claim.ts';
import type { ReleaseFacts } from '../../../src/rules/in-flight.ts';
import { CLOCK, claim, NOW_MS, RELEASE, record } from './releases.ts';

const held = claim('upgrade', 2, 'ann', { silenceMs: 600_000 });
const past = claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 3_600_000, renewedAtMs: NOW_MS - 3_600_000 });
const inFlight: ReleaseFacts = { records: [record(2, 'pending-upgrade')], claim: held };
const idle: ReleaseFacts = { records: [record(2, 'deployed')], claim: held };

describe("a write of a claim's Lease by a user other than Belay", () => {
  const cases: readonly { name: string; facts: ReleaseFacts; write: Partial<ClaimWrite>; expect: string }[] = [
    {
      name: 'the holder renews it',
      facts: inFlight,
      write: { operation: 'UPDATE', username: 'ann' },
      expect: 'renewal',
    },
    {
      name: 'the holder rewrites it',
      facts: inFlight,
      write: { operation: 'UPDATE', username: 'ann', changesMoreThanRenewal: true },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'the holder renews it with a shorter duration',
      facts: inFlight,
      write: { operation: 'UPDATE', username: 'ann', newDurationSeconds: 40 },
      expect: 'renewal',
    },
    {
      name: 'the holder sets a longer duration',
      facts: inFlight,
      write: { operation: 'UPDATE', username: 'ann', newDurationSeconds: 601 },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'the holder sets a duration below the time of three renewals',
      facts: inFlight,
      write: { operation: 'UPDATE', username: 'ann', newDurationSeconds: 29 },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'the holder removes the duration',
      facts: inFlight,
      write: { operation: 'UPDATE', username: 'ann', newDurationSeconds: null },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'another user sets a shorter duration',
      facts: inFlight,
      write: { operation: 'UPDATE', username: 'bob', newDurationSeconds: 40 },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'another user renews it',
      facts: inFlight,
      write: { operation: 'UPDATE', username: 'bob' },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'the holder deletes it while the operation is in flight',
      facts: inFlight,
      write: { operation: 'DELETE', username: 'ann' },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'it is deleted while no operation is in flight',
      facts: idle,
      write: { operation: 'DELETE', username: 'bob' },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'its holder renews it after the operation',
      facts: idle,
      write: { operation: 'UPDATE', username: 'ann' },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'its holder renews it again at once',
      facts: inFlight,
      write: { operation: 'UPDATE', username: 'ann', isPaced: () => false },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'it is deleted after its operation was declared dead and before the next one starts',
      facts: { ...inFlight, records: [record(2, 'pending-upgrade', { locks: { 'belay.dev/break': 'a' } })] },
      write: { operation: 'DELETE', username: 'bob' },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'it is deleted together with its namespace',
      facts: inFlight,
      write: { operation: 'DELETE', username: 'bob', terminating: true },
      expect: 'claim of nothing',
    },
    {
      name: 'a user creates one',
      facts: idle,
      write: { operation: 'CREATE', username: 'bob', claim: undefined },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'a backup brings one that is there already',
      facts: idle,
      write: { operation: 'CREATE', username: 'velero', claim: past, mayBreak: true, isThere: true },
      expect: 'restored',
    },
    {
      name: 'a backup brings one of an operation that is over',
      facts: { records: [record(2, 'deployed')], claim: undefined },
      write: { operation: 'CREATE', username: 'velero', claim: past, mayBreak: true },
      expect: 'restored',
    },
    {
      name: 'a user without the right to break brings one of an operation that is over',
      facts: { records: [record(2, 'deployed')], claim: undefined },
      write: { operation: 'CREATE', username: 'bob', claim: past, isThere: true },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'a backup brings one that would name the holder of what is unfinished',
      facts: { records: [record(2, 'pending-upgrade')], claim: undefined },
      write: { operation: 'CREATE', username: 'velero', claim: past, mayBreak: true },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'a backup brings one that is not over',
      facts: { records: [record(2, 'deployed')], claim: undefined },
      write: { operation: 'CREATE', username: 'velero', claim: held, mayBreak: true },
      expect: 'BelayClaimGuarded',
    },
    {
      name: 'a backup brings a Lease that claims nothing',
      facts: { records: [record(2, 'deployed')], claim: undefined },
      write: { operation: 'CREATE', username: 'velero', claim: undefined, mayBreak: true },
      expect: 'BelayClaimGuarded',
    },
  ];
  for (const { name, facts, write, expect } of cases) {
    test(`${name}: ${expect}`, () => {
      const full: ClaimWrite = {
        lease: 'belay.web',
        release: RELEASE,
        operation: 'UPDATE',
        username: 'bob',
        changesMoreThanRenewal: false,
        shortestSilenceMs: DEFAULT_INTERVALS.claims.shortestSilenceMs,
        claim: held,
        terminating: false,
        mayBreak: false,
        isThere: false,
        isPaced: () => true,
        ...write,
      };
      const verdict = judgeClaim(full, facts, CLOCK);
      assert.equal(verdict.allowed ? verdict.why : verdict.denial.code, expect);
    });
  }
});
