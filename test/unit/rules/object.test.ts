// Longer than 200 lines: one table of writes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ReleaseRecord } from '../../../src/helm/record.ts';
import type { Freeze } from '../../../src/policy/lock.ts';
import type { MaintenanceWindow } from '../../../src/policy/lock-annotations.ts';
import type { PolicyRule } from '../../../src/rules/actions.ts';
import { type Claim, findOperation } from '../../../src/rules/in-flight.ts';
import { judgeFromMetadata, judgeObject, type ObjectWrite } from '../../../src/rules/object.ts';
import { isUninstallRefused } from '../../../src/rules/refused-uninstall.ts';
import type { FieldChange } from '../../../src/rules/verdict.ts';
import { CLOCK, claim, NOW_MS, RELEASE, record, STALE_AFTER_MS } from './releases.ts';

const FREEZE: Freeze = {
  source: { kind: 'Namespace', namespace: '', name: 'shop' },
  reason: 'a',
  by: 'ann',
  untilMs: undefined,
};
const OPEN: MaintenanceWindow = { source: FREEZE.source, reason: 'a', untilMs: NOW_MS + 1 };
const CHANGE: FieldChange = { path: 'spec.a', pointer: '/spec/a', before: 1, after: 2, secret: false };
const LONG_AGO = { updatedAtMs: NOW_MS - STALE_AFTER_MS };

interface Case {
  readonly name: string;
  readonly by?: string;
  readonly attempt?: ObjectWrite['attempt'];
  readonly records: readonly ReleaseRecord[];
  readonly claim?: Claim;
  readonly frozen?: true;
  readonly serialized?: false;
  readonly open?: true;
  readonly waived?: readonly PolicyRule[];
  readonly listed?: false;
  readonly changes?: readonly FieldChange[];
  readonly restores?: true;
  readonly gainsOwner?: true;
  readonly restarts?: true;
  /** The `why` of an allowed write or the code of the denial, with the governing revision. */
  readonly expect: string;
}

const judge = ({ by = 'bob', attempt = 'change', records, ...rest }: Case): string => {
  const write: ObjectWrite = {
    release: RELEASE,
    username: by,
    attempt,
    object: { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' },
  };
  const facts = { records, claim: rest.claim };
  const judgement = judgeFromMetadata(write, facts, {
    operation: findOperation(facts, CLOCK),
    frozen: rest.frozen === true,
    serialized: rest.serialized ?? true,
  });
  if (judgement.settled) return judgement.verdict.allowed ? judgement.verdict.why : judgement.verdict.denial.code;
  const governed = {
    governing: judgement.candidates[0] ?? record(0, 'unknown'),
    state: judgement.state,
    chart: 'shop-1.4.0',
    listed: rest.listed ?? true,
    changes: rest.changes ?? [CHANGE],
    restores: rest.restores === true,
    gainsOwner: rest.gainsOwner === true,
    restarts: rest.restarts === true,
    freezes: rest.frozen ? [FREEZE] : [],
    uninstallRefused: isUninstallRefused(rest.claim, by),
    open: rest.open ? OPEN : undefined,
  };
  const verdict = judgeObject(write, governed, new Set(rest.waived));
  const others = judgement.candidates.slice(1).map(({ revision }) => `, or v${revision}`);
  return `${verdict.allowed ? verdict.why : verdict.denial.code} v${governed.governing.revision}${others.join('')}`;
};

const restoring = { attempt: 'create', restores: true } as const;
const deployed = record(1, 'deployed');
const upgrading = { records: [deployed, record(2, 'pending-upgrade')], claim: claim('upgrade', 2, 'ann') } as const;
const slow = {
  records: [deployed, record(2, 'pending-upgrade', LONG_AGO)],
  claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - STALE_AFTER_MS, renewedAtMs: NOW_MS - STALE_AFTER_MS }),
} as const;
const uninstalling = { records: [record(1, 'uninstalling')], claim: claim('uninstall', 1, 'ann') } as const;

describe('a write of an object with ownership annotations', () => {
  const cases: readonly Case[] = [
    { name: 'of a release that Belay has never seen', records: [], expect: 'no release' },
    { name: 'that is drift', records: [deployed], expect: 'BelayDrift v1' },
    { name: 'that leaves what the chart wants', records: [deployed], changes: [], expect: 'no drift v1' },
    {
      name: 'the manifest does not list the object, such as a ReplicaSet',
      records: [deployed],
      listed: false,
      expect: 'not listed v1',
    },
    { name: 'that restarts Pods', records: [deployed], changes: [], restarts: true, expect: 'no drift v1' },
    {
      name: 'that restarts Pods of a frozen release',
      records: [deployed],
      changes: [],
      restarts: true,
      frozen: true,
      expect: 'BelayFrozen v1',
    },
    {
      name: 'that restarts Pods, where the policy only warns of freezes',
      records: [deployed],
      changes: [],
      restarts: true,
      frozen: true,
      waived: ['freeze'],
      expect: 'no drift v1',
    },
    {
      name: 'its holder restarts Pods of a release that was frozen meanwhile',
      by: 'ann',
      ...upgrading,
      changes: [],
      restarts: true,
      frozen: true,
      expect: 'holder',
    },
    { name: 'that deletes it', attempt: 'delete', records: [deployed], expect: 'BelayDrift v1' },
    {
      name: 'the holder of a dead operation changes the object of a frozen release',
      by: 'ann',
      ...slow,
      frozen: true,
      expect: 'BelayFrozen v1',
    },
    {
      name: 'the holder of a dead operation deletes the object of a frozen release',
      by: 'ann',
      attempt: 'delete',
      ...slow,
      frozen: true,
      expect: 'BelayFrozen v1',
    },
    {
      name: 'the holder of an operation in flight changes the object of a release that was frozen meanwhile',
      by: 'ann',
      ...upgrading,
      frozen: true,
      expect: 'holder',
    },
    { name: 'that creates it anew', attempt: 'create', records: [deployed], expect: 'BelayDrift v1' },
    {
      name: 'it creates the missing object as the chart has it',
      ...restoring,
      records: [deployed],
      expect: 'restores the chart v1',
    },
    {
      name: 'it creates the object as the deployed chart has it, while an operation is stale',
      ...restoring,
      records: [deployed, record(2, 'pending-upgrade', LONG_AGO)],
      expect: 'restores the chart v1',
    },
    {
      name: 'a user other than the holder creates the object as the chart in flight has it',
      ...restoring,
      ...upgrading,
      expect: 'BelayDrift v2, or v1',
    },
    {
      name: 'it creates the object as the chart has it, in a frozen release',
      ...restoring,
      frozen: true,
      records: [deployed],
      expect: 'BelayFrozen v1',
    },
    {
      name: 'it creates the object as the chart has it, in a frozen release whose freeze is waived',
      ...restoring,
      frozen: true,
      waived: ['freeze'],
      records: [deployed],
      expect: 'restores the chart v1',
    },
    {
      name: 'it creates an object that no manifest lists',
      ...restoring,
      listed: false,
      records: [deployed],
      expect: 'not listed v1',
    },
    {
      name: 'it changes an existing object to what would restore a missing one',
      restores: true,
      records: [deployed],
      expect: 'BelayDrift v1',
    },
    {
      name: 'the newest revision failed, so the deployed one governs',
      records: [deployed, record(2, 'failed')],
      expect: 'BelayDrift v1',
    },
    { name: 'of a release that never came up', records: [record(1, 'failed')], expect: 'nothing governs' },
    {
      name: 'a failed rollback left nothing deployed, so the revision that was deployed last governs',
      records: [record(1, 'superseded'), record(2, 'superseded'), record(3, 'failed')],
      expect: 'BelayDrift v2',
    },
    {
      name: 'an uninstall kept the history',
      records: [record(1, 'superseded'), record(2, 'uninstalled')],
      expect: 'nothing governs',
    },
    { name: 'by the holder', by: 'ann', ...upgrading, expect: 'holder' },
    { name: 'by others meanwhile: the revision in flight governs', ...upgrading, expect: 'BelayDrift v2, or v1' },
    {
      name: 'an operation died after it had superseded what ran',
      records: [record(1, 'superseded'), record(2, 'pending-upgrade', LONG_AGO)],
      expect: 'BelayDrift v1',
    },
    {
      name: 'two revisions are deployed: the object is governed by either',
      records: [deployed, record(2, 'deployed')],
      expect: 'BelayDrift v2, or v1',
    },
    {
      name: 'nine revisions are deployed: the oldest is among those that are read',
      records: [1, 2, 3, 4, 5, 6, 7, 8, 9].map((revision) => record(revision, 'deployed')),
      expect: 'BelayDrift v9, or v8, or v1',
    },
    {
      name: 'somebody has superseded both revisions',
      records: [record(1, 'superseded'), record(2, 'superseded')],
      claim: claim('upgrade', 2, 'eve'),
      expect: 'BelayDrift v2, or v1',
    },
    {
      name: 'an install after an uninstall that kept its history has superseded all revisions',
      records: [record(1, 'superseded'), record(2, 'superseded')],
      claim: claim('uninstall', 2, 'ann'),
      expect: 'nothing governs',
    },
    {
      name: 'the first records of a backup are superseded',
      records: [record(1, 'superseded'), record(2, 'superseded')],
      expect: 'nothing governs',
    },
    {
      name: 'the holder deletes an object that the manifest in flight lists, to create it again',
      by: 'ann',
      attempt: 'delete',
      ...upgrading,
      expect: 'recreates v2',
    },
    {
      name: 'the holder deletes an object that the manifest in flight lists, of a release that was frozen meanwhile',
      by: 'ann',
      attempt: 'delete',
      frozen: true,
      ...upgrading,
      expect: 'recreates v2',
    },
    {
      name: 'the holder deletes an object before its record has appeared',
      by: 'ann',
      attempt: 'delete',
      records: [deployed],
      claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 1_000, renewedAtMs: NOW_MS - 1_000 }),
      expect: 'recreates v1',
    },
    {
      name: 'the holder, whose uninstall was refused, deletes an object before its record has appeared',
      by: 'ann',
      attempt: 'delete',
      records: [deployed],
      claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 1_000, uninstallRefused: ['ann'] }),
      expect: 'BelayOperationInFlight v1',
    },
    {
      name: 'the holder, whose uninstall was refused, deletes an object that the manifest in flight lists',
      by: 'ann',
      attempt: 'delete',
      ...upgrading,
      claim: claim('upgrade', 2, 'ann', { uninstallRefused: ['ann'] }),
      expect: 'BelayOperationInFlight v2',
    },
    {
      name: 'the holder, whose uninstall was refused, deletes an object that the upgrade removes',
      by: 'ann',
      attempt: 'delete',
      listed: false,
      ...upgrading,
      claim: claim('upgrade', 2, 'ann', { uninstallRefused: ['ann'] }),
      expect: 'not listed v2',
    },
    {
      name: 'a user deletes an object in an operation that began before Belay was installed',
      attempt: 'delete',
      records: [deployed, record(2, 'pending-upgrade')],
      expect: 'BelayOperationInFlight v2',
    },
    {
      name: 'the holder deletes an object that the upgrade removes',
      by: 'ann',
      attempt: 'delete',
      listed: false,
      ...upgrading,
      expect: 'not listed v2',
    },
    {
      name: 'another user deletes the object during an upgrade',
      attempt: 'delete',
      ...upgrading,
      expect: 'BelayOperationInFlight v2, or v1',
    },
    {
      name: 'the holder of an uninstall deletes the object',
      by: 'ann',
      attempt: 'delete',
      ...uninstalling,
      expect: 'holder',
    },
    {
      name: 'another user deletes the object during an uninstall',
      attempt: 'delete',
      ...uninstalling,
      expect: 'BelayOperationInFlight v1',
    },
    {
      name: 'the operation is stale, so the deployed revision governs again',
      by: 'ann',
      records: [deployed, record(2, 'pending-upgrade', LONG_AGO)],
      expect: 'BelayDrift v1',
    },
    { name: 'by its holder, who was only slow', by: 'ann', ...slow, expect: 'holder' },
    { name: 'by others, when its holder is slow', ...slow, expect: 'BelayDrift v1' },
    {
      name: 'the slow holder deletes an object that the manifest in flight lists',
      by: 'ann',
      attempt: 'delete',
      ...slow,
      expect: 'recreates v2',
    },
    {
      name: 'the holder of an operation that was declared dead changes the object',
      by: 'ann',
      records: [deployed, record(2, 'pending-upgrade', { locks: { 'belay.dev/break': 'a' } })],
      claim: claim('upgrade', 2, 'ann'),
      expect: 'BelayDrift v1',
    },
    { name: 'while frozen', frozen: true, records: [deployed], expect: 'BelayFrozen v1' },
    {
      name: 'it changes nothing of the chart, in a frozen release',
      frozen: true,
      records: [deployed],
      changes: [],
      expect: 'no drift v1',
    },
    {
      name: 'it gives the object an owner, in a frozen release',
      frozen: true,
      records: [deployed],
      changes: [],
      gainsOwner: true,
      expect: 'BelayFrozen v1',
    },
    {
      name: 'it gives the object an owner, in a frozen release whose freeze is waived',
      frozen: true,
      waived: ['freeze'],
      records: [deployed],
      changes: [],
      gainsOwner: true,
      expect: 'no drift v1',
    },
    {
      name: 'it deletes the object of a frozen release with nothing deployed',
      attempt: 'delete',
      frozen: true,
      records: [record(1, 'failed')],
      expect: 'BelayFrozen v1',
    },
    {
      name: 'the release was frozen during the operation of the holder',
      by: 'ann',
      frozen: true,
      ...upgrading,
      expect: 'holder',
    },
    {
      name: 'another user changes the object while an operation is in flight, and operations are not serialized',
      serialized: false,
      ...upgrading,
      expect: 'not serialized',
    },
    {
      name: 'no operation is in flight, and operations are not serialized',
      serialized: false,
      records: [deployed],
      expect: 'BelayDrift v1',
    },
    {
      name: 'the freeze of the release is waived',
      frozen: true,
      waived: ['freeze'],
      records: [deployed],
      expect: 'BelayDrift v1',
    },
    { name: 'that is drift, which is waived', waived: ['drift'], records: [deployed], expect: 'waived v1' },
    {
      name: 'the release is frozen, and drift is waived',
      frozen: true,
      waived: ['drift'],
      records: [deployed],
      expect: 'BelayFrozen v1',
    },
    { name: 'while open', open: true, records: [deployed], expect: 'open v1' },
    { name: 'while open and frozen', open: true, frozen: true, records: [deployed], expect: 'BelayFrozen v1' },
    {
      name: 'it deletes the object in a maintenance window while an operation is in flight',
      attempt: 'delete',
      open: true,
      ...upgrading,
      expect: 'BelayOperationInFlight v2, or v1',
    },
    {
      name: 'the operation began before Belay was installed',
      records: [deployed, record(2, 'pending-upgrade')],
      expect: 'holder',
    },
  ];
  for (const each of cases) test(`${each.name}: ${each.expect}`, () => assert.equal(judge(each), each.expect));
});
