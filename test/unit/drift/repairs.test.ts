import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckedRelease } from '../../../src/drift/findings.ts';
import { createRepairHistory, MAX_REPAIRS, WITHIN_MS } from '../../../src/drift/repair-history.ts';
import { type RepairSituation, refusesRepair } from '../../../src/drift/repair-release.ts';
import { DEFAULT_INTERVALS } from '../../../src/intervals/intervals.ts';
import { builtInPolicy } from '../../../src/policy/policy-in-force.ts';
import { record } from './objects.ts';

describe('earlier repairs', () => {
  test('an object that is changed again and again is left alone for an hour', () => {
    const history = createRepairHistory(DEFAULT_INTERVALS.sweep);
    for (let i = 0; i < MAX_REPAIRS; i += 1) {
      assert.equal(history.mayRepair('x', i), 'yes');
      history.noteRepaired('x', i);
    }
    assert.equal(history.mayRepair('x', 10), 'fight');
    assert.equal(history.mayRepair('other', 10), 'yes');
    assert.equal(history.mayRepair('x', WITHIN_MS), 'yes');
  });

  test('after a failure the next repair waits, longer each time, until one succeeds', () => {
    const history = createRepairHistory(DEFAULT_INTERVALS.sweep);
    history.noteFailed('x', 0);
    assert.equal(history.mayRepair('x', 59_999), 'failed');
    assert.equal(history.mayRepair('x', 60_000), 'yes');
    history.noteFailed('x', 60_000);
    assert.equal(history.mayRepair('x', 179_999), 'failed');
    history.noteRepaired('x', 180_000);
    assert.equal(history.mayRepair('x', 180_000), 'yes');
  });
});

describe('a release is not repaired', () => {
  const checked: CheckedRelease = {
    ...{ checked: true, release: { namespace: 'shop', name: 'web' }, governing: record(), chart: 'shop-1.0.0' },
    ...{ namespace: 'shop', listed: 1, drifted: [], unchecked: [] },
  };
  const namespace = { name: 'shop', annotations: {}, labels: {}, terminating: false };
  const idle: RepairSituation = {
    facts: { records: [record()], claim: undefined },
    policy: builtInPolicy(600_000),
    namespaces: [namespace],
  };
  const withRecords = (...records: ReturnType<typeof record>[]) => ({ ...idle, facts: { records, claim: undefined } });
  const pending = record({ name: 'x', uid: 'r2', revision: 2, status: 'pending-upgrade', updatedAtMs: 900_000 });
  const nowMs = 1_000_000;
  const open = { 'belay.dev/open': 'why', 'belay.dev/open-until': new Date(nowMs + 60_000).toISOString() };

  const CASES: readonly (readonly [when: string, situation: RepairSituation, why: RegExp])[] = [
    ['while an operation is in flight', withRecords(record(), pending), /in flight/],
    ['when its records are gone', withRecords(), /no record/],
    ['when another revision is deployed', withRecords(record({ uid: 'r9', revision: 9 })), /another revision/],
    ['when nothing is deployed any more', withRecords(record({ status: 'uninstalled' })), /nothing deployed/],
    ['while it is frozen', withRecords(record({ locks: { 'belay.dev/freeze': 'sale' } })), /frozen: sale/],
    ['while it is open to changes by hand', withRecords(record({ locks: open })), /open/],
    [
      'while its namespace is being deleted',
      { ...idle, namespaces: [{ ...namespace, terminating: true }] },
      /being deleted/,
    ],
  ];
  for (const [when, situation, why] of CASES)
    test(when, () => assert.match(refusesRepair(checked, situation, { unattended: true }, nowMs) ?? '', why));

  test('but it is repaired when none of this holds, and by a person while it is open', () => {
    assert.equal(refusesRepair(checked, idle, { unattended: true }, nowMs), undefined);
    const opened = withRecords(record({ locks: open }));
    assert.equal(refusesRepair(checked, opened, { unattended: false }, nowMs), undefined);
  });

  test('a stuck operation is over when it is stale', () => {
    const stuck = withRecords(record(), { ...pending, updatedAtMs: 0 });
    assert.equal(refusesRepair(checked, stuck, { unattended: true }, nowMs), undefined);
  });
});
