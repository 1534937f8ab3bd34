import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HelmStatus, ReleaseRecord } from '../../../src/helm/record.ts';
import type { Freeze } from '../../../src/policy/lock.ts';
import type { Claim } from '../../../src/rules/in-flight.ts';
import { judgeRecord } from '../../../src/rules/record/judge-record.ts';
import type { RecordVerdict, RecordWrite } from '../../../src/rules/record/write.ts';
import { CLOCK, claim, NOW_MS, payload, record, STALE_AFTER_MS, write } from './releases.ts';

const FREEZE: Freeze = {
  source: { kind: 'Namespace', namespace: '', name: 'shop' },
  reason: 'friday',
  by: 'ann',
  untilMs: undefined,
};
const LONG_AGO = { updatedAtMs: NOW_MS - STALE_AFTER_MS };
const longAgo = (operation: Claim['operation'], revision: number, holder: string): Claim =>
  claim(operation, revision, holder, { acquiredAtMs: NOW_MS - STALE_AFTER_MS, renewedAtMs: NOW_MS - STALE_AFTER_MS });

interface Case {
  readonly name: string;
  readonly records: readonly ReleaseRecord[];
  readonly claim?: Claim;
  readonly frozen?: true;
  readonly write: RecordWrite;
  /** `why` of an allow, with what it claims; or the code of the denial. */
  readonly expect: string;
}

const say = (verdict: RecordVerdict): string => {
  if (!verdict.allowed) return verdict.denial.code;
  const { claim: wanted } = verdict;
  if (wanted === undefined) return verdict.why;
  return `${verdict.why} ${wanted.operation} v${wanted.revision}${wanted.takesOver === undefined ? '' : ` over ${wanted.takesOver.reason} v${wanted.takesOver.revision}`}`;
};

const run = (cases: readonly Case[]): void => {
  for (const { name, records, write: asked, expect, ...rest } of cases) {
    test(name, () => {
      const facts = { records, claim: rest.claim };
      assert.equal(say(judgeRecord(asked, facts, rest.frozen ? [FREEZE] : [], CLOCK)), expect);
    });
  }
};

const deployed = record(1, 'deployed');
const pending = record(2, 'pending-upgrade');
const upgrading = { records: [deployed, pending], claim: claim('upgrade', 2, 'ann') } as const;
const move = (
  user: string,
  revision: number,
  from: HelmStatus,
  to: HelmStatus,
  more: Partial<RecordWrite> = {},
): RecordWrite => write(user, record(revision, from), record(revision, to), more);

describe('an operation whose holder renews often, and wants its crash to be seen soon', () => {
  const silent = (ms: number) => ({ updatedAtMs: NOW_MS - ms });
  const quick = (renewedAgoMs: number): Claim =>
    claim('upgrade', 2, 'ann', { renewedAtMs: NOW_MS - renewedAgoMs, silenceMs: 40_000 });
  const next = write('bob', undefined, record(3, 'pending-upgrade'));
  const records = [deployed, record(2, 'pending-upgrade', silent(60_000))];
  run([
    {
      name: 'it is in flight while it renews, however long its record is left alone',
      records: [deployed, record(2, 'pending-upgrade', silent(STALE_AFTER_MS))],
      claim: quick(39_000),
      write: next,
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'it is dead when it has missed its own time',
      records,
      claim: quick(40_000),
      write: next,
      expect: 'takeover upgrade v3 over stale v2',
    },
    {
      name: 'a longer time than the policy gives counts for nothing',
      records: [deployed, record(2, 'pending-upgrade', silent(STALE_AFTER_MS))],
      claim: { ...longAgo('upgrade', 2, 'ann'), silenceMs: 2 * STALE_AFTER_MS },
      write: next,
      expect: 'takeover upgrade v3 over stale v2',
    },
  ]);
});

describe('an operation starts', () => {
  run([
    {
      name: 'a first install',
      records: [],
      write: write('ann', undefined, record(1, 'pending-install')),
      expect: 'start install v1',
    },
    {
      name: 'an upgrade of a deployed release',
      records: [deployed],
      write: write('ann', undefined, pending),
      expect: 'start upgrade v2',
    },
    {
      name: 'a rollback',
      records: [deployed, record(2, 'failed')],
      write: write('ann', undefined, record(3, 'pending-rollback')),
      expect: 'start rollback v3',
    },
    {
      name: 'an uninstall',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'uninstalling'),
      expect: 'start uninstall v1',
    },
    {
      name: 'an uninstall of a failed install',
      records: [record(1, 'failed')],
      write: move('ann', 1, 'failed', 'uninstalling'),
      expect: 'start uninstall v1',
    },
    {
      name: 'not while another upgrade is in flight',
      ...upgrading,
      write: write('bob', undefined, record(3, 'pending-rollback')),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'not even for the holder of the one in flight',
      ...upgrading,
      write: write('ann', undefined, record(3, 'pending-rollback')),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'not an uninstall while an upgrade is in flight',
      ...upgrading,
      write: move('bob', 2, 'pending-upgrade', 'uninstalling'),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'not while an uninstall is in flight',
      records: [record(1, 'uninstalling')],
      claim: claim('uninstall', 1, 'ann'),
      write: write('bob', undefined, pending),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'not while one was admitted a moment ago and its record has not appeared',
      records: [deployed],
      claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 9_999 }),
      write: move('bob', 1, 'deployed', 'uninstalling'),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'once such a claim is void',
      records: [deployed],
      claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 10_000 }),
      write: move('bob', 1, 'deployed', 'uninstalling'),
      expect: 'start uninstall v1',
    },
    {
      name: 'at once after an uninstall that removed every record',
      records: [],
      claim: claim('uninstall', 1, 'ann', { acquiredAtMs: NOW_MS - 1_000 }),
      write: write('bob', undefined, record(1, 'pending-install')),
      expect: 'start install v1',
    },
    {
      name: 'not while an uninstall was admitted a moment ago and is not stored yet',
      records: [deployed],
      claim: claim('uninstall', 1, 'ann', { acquiredAtMs: NOW_MS - 1_000, recordVersion: deployed.resourceVersion }),
      write: write('bob', undefined, pending),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'at once after an uninstall that kept history',
      records: [record(1, 'superseded', { resourceVersion: '7' })],
      claim: claim('uninstall', 1, 'ann', { acquiredAtMs: NOW_MS - 1_000, recordVersion: '1' }),
      write: write('ann', undefined, record(2, 'pending-install')),
      expect: 'start install v2',
    },
    {
      name: 'at once after an upgrade that failed',
      records: [deployed, record(2, 'failed')],
      claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 1_000 }),
      write: write('ann', undefined, record(3, 'pending-rollback')),
      expect: 'start rollback v3',
    },
    {
      name: 'over a stale one, as a takeover',
      records: [deployed, record(2, 'pending-upgrade', LONG_AGO)],
      claim: longAgo('upgrade', 2, 'ann'),
      write: write('bob', undefined, record(3, 'pending-rollback')),
      expect: 'takeover rollback v3 over stale v2',
    },
    {
      name: 'over one that was declared dead',
      records: [deployed, record(2, 'pending-upgrade', { locks: { 'belay.dev/break': 'job was killed' } })],
      claim: claim('upgrade', 2, 'ann'),
      write: write('bob', undefined, record(3, 'pending-rollback')),
      expect: 'takeover rollback v3 over broken v2',
    },
    {
      name: 'not over a silent one whose holder renewed its claim',
      records: [deployed, record(2, 'pending-upgrade', LONG_AGO)],
      claim: claim('upgrade', 2, 'ann'),
      write: write('bob', undefined, record(3, 'pending-rollback')),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'past an old revision that stays pending below a newer one',
      records: [record(1, 'pending-upgrade'), record(2, 'deployed')],
      write: write('ann', undefined, record(3, 'pending-upgrade')),
      expect: 'start upgrade v3',
    },
    {
      name: 'not with a revision that others have gone past since Helm looked',
      records: [record(2, 'deployed')],
      write: write('ann', undefined, record(1, 'pending-install')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not on a frozen release',
      records: [deployed],
      frozen: true,
      write: write('ann', undefined, pending),
      expect: 'BelayFrozen',
    },
    {
      name: 'not as an uninstall of a frozen release',
      records: [deployed],
      frozen: true,
      write: move('ann', 1, 'deployed', 'uninstalling'),
      expect: 'BelayFrozen',
    },
    {
      name: 'a second uninstall of a stuck one, once stale',
      records: [record(1, 'uninstalling', LONG_AGO)],
      claim: longAgo('uninstall', 1, 'ann'),
      write: write('bob', record(1, 'uninstalling', LONG_AGO), record(1, 'uninstalling'), {
        payload: payload(1, 'uninstalling', { deleted: 'later' }),
        payloadBefore: payload(1, 'uninstalling', { deleted: 'first' }),
      }),
      expect: 'takeover uninstall v1 over stale v1',
    },
    {
      name: 'no second uninstall while the first is in flight, not even by its holder',
      records: [record(1, 'uninstalling')],
      claim: claim('uninstall', 1, 'ann'),
      write: move('ann', 1, 'uninstalling', 'uninstalling', {
        payload: payload(1, 'uninstalling', { deleted: 'later' }),
        payloadBefore: payload(1, 'uninstalling', { deleted: 'first' }),
      }),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'in ConfigMaps as in Secrets',
      records: [record(1, 'deployed', { kind: 'ConfigMap' }), record(2, 'pending-upgrade', { kind: 'ConfigMap' })],
      write: write('bob', undefined, record(3, 'pending-rollback', { kind: 'ConfigMap' })),
      expect: 'BelayOperationInFlight',
    },
  ]);
});

describe('the holder finishes', () => {
  run([
    {
      name: 'the upgrade is deployed',
      ...upgrading,
      write: move('ann', 2, 'pending-upgrade', 'deployed'),
      expect: 'completion',
    },
    {
      name: 'the upgrade fails',
      ...upgrading,
      write: move('ann', 2, 'pending-upgrade', 'failed'),
      expect: 'completion',
    },
    {
      name: 'a hook ran',
      ...upgrading,
      write: move('ann', 2, 'pending-upgrade', 'pending-upgrade'),
      expect: 'progress',
    },
    {
      name: 'the old revision is superseded',
      ...upgrading,
      write: move('ann', 1, 'deployed', 'superseded'),
      expect: 'superseded',
    },
    {
      name: 'although the release was frozen meanwhile',
      ...upgrading,
      frozen: true,
      write: move('ann', 2, 'pending-upgrade', 'deployed'),
      expect: 'completion',
    },
    {
      name: 'late, but not overtaken',
      records: [deployed, record(2, 'pending-upgrade', LONG_AGO)],
      claim: longAgo('upgrade', 2, 'ann'),
      write: write('ann', record(2, 'pending-upgrade', LONG_AGO), record(2, 'deployed')),
      expect: 'late completion',
    },
    {
      name: 'late, the old revision is superseded',
      records: [deployed, record(2, 'pending-upgrade', LONG_AGO)],
      claim: longAgo('upgrade', 2, 'ann'),
      write: move('ann', 1, 'deployed', 'superseded'),
      expect: 'late completion',
    },
    {
      name: 'an operation that began before Belay was installed',
      records: [deployed, pending],
      write: move('ann', 2, 'pending-upgrade', 'deployed'),
      expect: 'completion',
    },
    {
      name: 'an uninstall with history kept',
      records: [record(1, 'uninstalling')],
      claim: claim('uninstall', 1, 'ann'),
      write: move('ann', 1, 'uninstalling', 'uninstalled'),
      expect: 'completion',
    },
    {
      name: 'an uninstall hook ran',
      records: [record(1, 'uninstalling')],
      claim: claim('uninstall', 1, 'ann'),
      write: move('ann', 1, 'uninstalling', 'uninstalling'),
      expect: 'progress',
    },
    {
      name: 'nobody else does',
      ...upgrading,
      write: move('bob', 2, 'pending-upgrade', 'failed'),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'nobody else supersedes the deployed revision',
      ...upgrading,
      write: move('bob', 1, 'deployed', 'superseded'),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'others may retire it once it is stale',
      records: [deployed, record(2, 'pending-upgrade', LONG_AGO)],
      claim: longAgo('upgrade', 2, 'ann'),
      write: write('flux', record(2, 'pending-upgrade', LONG_AGO), record(2, 'failed')),
      expect: 'retired',
    },
    {
      name: 'others may not call a dead one deployed',
      records: [deployed, record(2, 'pending-upgrade', LONG_AGO)],
      claim: longAgo('upgrade', 2, 'ann'),
      write: write('bob', record(2, 'pending-upgrade', LONG_AGO), record(2, 'deployed')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'an overtaken one is fenced off',
      records: [deployed, pending, record(3, 'pending-rollback')],
      claim: claim('rollback', 3, 'bob'),
      write: move('ann', 2, 'pending-upgrade', 'deployed'),
      expect: 'BelayFenced',
    },
    {
      name: 'an overtaken one is fenced off after its successor is done, too',
      records: [record(1, 'superseded'), pending, record(3, 'deployed')],
      claim: claim('rollback', 3, 'bob'),
      write: move('ann', 2, 'pending-upgrade', 'failed'),
      expect: 'BelayFenced',
    },
  ]);
});

describe('a stored revision keeps', () => {
  run([
    {
      name: 'its hooks may have run again (helm test)',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed'),
      expect: 'unchanged status',
    },
    {
      name: 'helm test works on a frozen release',
      records: [deployed],
      frozen: true,
      write: move('ann', 1, 'deployed', 'deployed'),
      expect: 'unchanged status',
    },
    {
      name: 'upgrade --install after uninstall --keep-history',
      records: [record(1, 'uninstalled')],
      write: move('ann', 1, 'uninstalled', 'superseded'),
      expect: 'superseded',
    },
    {
      name: 'not so on a frozen release',
      records: [record(1, 'uninstalled')],
      frozen: true,
      write: move('ann', 1, 'uninstalled', 'superseded'),
      expect: 'BelayFrozen',
    },
    {
      name: 'it is not patched to pending as a lock',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'pending-upgrade'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'its chart, values and manifest',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', { changedParts: ['manifest'] }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the namespace of its objects',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', { payload: payload(1, 'deployed', { namespace: 'elsewhere' }) }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'its namespace where what is stored cannot be read',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', { payloadBefore: undefined }),
      expect: 'unchanged status',
    },
    {
      name: 'its status label agrees with its payload',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded', { payload: payload(1, 'deployed') }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'its name label',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', {
        labels: { owner: 'helm', name: 'other', version: '1', status: 'deployed' },
      }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'its owner label',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', { labels: { name: 'web', version: '1', status: 'deployed' } }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the deployed one is not called superseded',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'labels and annotations of people pass',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', { contentChanged: false }),
      expect: 'metadata',
    },
    {
      name: 'a backup is restored in any order',
      records: [record(3, 'deployed')],
      write: write('velero', undefined, record(1, 'superseded')),
      expect: 'stored',
    },
    {
      name: 'nothing is stored while an operation is in flight',
      ...upgrading,
      write: write('bob', undefined, record(3, 'deployed')),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'a CREATE whose payload is of another release',
      records: [],
      write: write('ann', undefined, record(1, 'pending-install'), {
        payload: payload(1, 'pending-install', { name: 'other' }),
      }),
      expect: 'BelayRecordProtected',
    },
  ]);
});

describe('a record is deleted', () => {
  const remove = (user: string, target: ReleaseRecord, more: Partial<RecordWrite> = {}): RecordWrite =>
    write(user, target, undefined, more);
  const old = record(1, 'superseded');
  run([
    {
      name: 'when history is pruned',
      records: [old, record(2, 'deployed')],
      write: remove('ann', old),
      expect: 'prune',
    },
    {
      name: 'when it alone carries a pin, which would be gone before the next revision could carry it on',
      records: [record(1, 'superseded', { locks: { 'belay.dev/pin': '1.x' } }), record(2, 'deployed')],
      write: write('ann', record(1, 'superseded', { locks: { 'belay.dev/pin': '1.x' } }), undefined),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'when another revision carries its pin as well',
      records: [
        record(1, 'superseded', { locks: { 'belay.dev/pin': '1.x' } }),
        record(2, 'deployed', { locks: { 'belay.dev/pin': '1.x' } }),
      ],
      write: write('ann', record(1, 'superseded', { locks: { 'belay.dev/pin': '1.x' } }), undefined),
      expect: 'prune',
    },
    {
      name: 'when a lower deployed revision is pruned',
      records: [deployed, record(2, 'deployed')],
      write: remove('ann', deployed),
      expect: 'prune',
    },
    {
      name: 'not on a frozen release',
      records: [old, record(2, 'deployed')],
      frozen: true,
      write: remove('ann', old),
      expect: 'BelayFrozen',
    },
    {
      name: 'not the newest',
      records: [old, record(2, 'deployed')],
      write: remove('ann', record(2, 'deployed')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not the deployed one below a failed one',
      records: [deployed, record(2, 'failed')],
      write: remove('ann', deployed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not the one in flight, not even by its holder',
      ...upgrading,
      write: remove('ann', pending),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'by the holder of an uninstall, oldest first',
      records: [old, record(2, 'uninstalling')],
      claim: claim('uninstall', 2, 'ann'),
      write: remove('ann', old),
      expect: 'uninstall',
    },
    {
      name: 'by the holder of an uninstall, although frozen meanwhile',
      records: [record(2, 'uninstalling')],
      claim: claim('uninstall', 2, 'ann'),
      frozen: true,
      write: remove('ann', record(2, 'uninstalling')),
      expect: 'uninstall',
    },
    {
      name: "by nobody else during somebody's uninstall",
      records: [old, record(2, 'uninstalling')],
      claim: claim('uninstall', 2, 'ann'),
      write: remove('bob', old),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'when its operation is dead',
      records: [deployed, record(2, 'pending-upgrade', LONG_AGO)],
      claim: longAgo('upgrade', 2, 'ann'),
      write: remove('bob', record(2, 'pending-upgrade', LONG_AGO)),
      expect: 'dead operation',
    },
    {
      name: 'by helm uninstall after uninstall --keep-history',
      records: [old, record(2, 'uninstalled')],
      write: remove('ann', old),
      expect: 'purge',
    },
    {
      name: 'in a terminating namespace',
      records: [deployed],
      frozen: true,
      write: remove('ann', deployed, { terminating: true }),
      expect: 'terminating namespace',
    },
  ]);
});

describe('mapkubeapis stores a copy of what is deployed', () => {
  const awaited = { claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 1_000 }) } as const;
  const MAY_BREAK = { mayBreak: true } as const;
  const copy = (user: string, revision = 2) => write(user, undefined, record(revision, 'deployed'));
  run([
    {
      name: 'it supersedes the newest revision, and claims the one that is to come',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded', MAY_BREAK),
      expect: 'start upgrade v2',
    },
    {
      name: 'not by somebody who may not break the release',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not below a newer revision',
      records: [deployed, record(2, 'failed')],
      write: move('ann', 1, 'deployed', 'superseded', MAY_BREAK),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not on a frozen release',
      records: [deployed],
      frozen: true,
      write: move('ann', 1, 'deployed', 'superseded', MAY_BREAK),
      expect: 'BelayFrozen',
    },
    {
      name: 'not with another manifest in what it supersedes',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded', { ...MAY_BREAK, changedParts: ['manifest'] }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'then the copy',
      records: [record(1, 'superseded')],
      ...awaited,
      write: copy('ann'),
      expect: 'start upgrade v2',
    },
    {
      name: 'then the copy, although the release was frozen meanwhile',
      records: [record(1, 'superseded')],
      ...awaited,
      frozen: true,
      write: copy('ann'),
      expect: 'start upgrade v2',
    },
    {
      name: 'then the copy, however late',
      records: [record(1, 'superseded')],
      write: copy('ann'),
      expect: 'start upgrade v2',
    },
    {
      name: 'not the copy of somebody else',
      records: [record(1, 'superseded')],
      ...awaited,
      write: copy('bob'),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'not the copy as another revision',
      records: [record(1, 'superseded')],
      ...awaited,
      write: copy('ann', 3),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'nobody begins in between',
      records: [record(1, 'superseded')],
      ...awaited,
      write: write('bob', undefined, pending),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'what it has superseded is not brought back',
      records: [record(1, 'superseded')],
      ...awaited,
      write: move('ann', 1, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
  ]);
});

describe('Fleet takes a failed rollback back', () => {
  const was = record(4, 'superseded');
  const failed = record(5, 'failed');
  const rollback = { claim: claim('rollback', 5, 'fleet') } as const;
  /** What the claim says once the failed revision is gone. */
  const back = { claim: claim('rollback', 4, 'fleet', { acquiredAtMs: NOW_MS - 2_000 }) } as const;
  const remove = (user: string, target: ReleaseRecord): RecordWrite => write(user, target, undefined);
  const locked = { locks: { 'belay.dev/pin': '1.x' } };
  run([
    {
      name: 'it deletes the failed revision',
      records: [was, failed],
      ...rollback,
      write: remove('fleet', failed),
      expect: 'taken back rollback v4',
    },
    {
      name: 'and stores the one below as it was',
      records: [was],
      ...back,
      write: move('fleet', 4, 'superseded', 'deployed'),
      expect: 'taken back',
    },
    {
      name: 'and if that was failed itself',
      records: [record(3, 'deployed'), was],
      ...back,
      write: move('fleet', 4, 'superseded', 'failed'),
      expect: 'taken back',
    },
    {
      name: 'nobody else deletes it',
      records: [was, failed],
      ...rollback,
      write: remove('bob', failed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'nobody else stores the one below',
      records: [was],
      ...back,
      write: move('bob', 4, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'nor anybody before the failed one has been deleted',
      records: [was],
      ...rollback,
      write: move('fleet', 4, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the next operation begins at once',
      records: [record(4, 'deployed')],
      ...back,
      write: write('fleet', undefined, record(5, 'pending-rollback')),
      expect: 'start rollback v5',
    },
    {
      name: 'not a failed upgrade',
      records: [was, failed],
      claim: claim('upgrade', 5, 'fleet'),
      write: remove('fleet', failed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not when nothing tells who ran the rollback',
      records: [was, failed],
      write: remove('fleet', failed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not where the revision below has stayed deployed, so that nothing is to be taken back',
      records: [record(4, 'deployed'), failed],
      ...rollback,
      write: remove('fleet', failed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not where there is no revision below',
      records: [record(3, 'superseded'), failed],
      ...rollback,
      write: remove('fleet', failed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not a while later',
      records: [was, record(5, 'failed', { updatedAtMs: NOW_MS - 60_001 })],
      ...rollback,
      write: remove('fleet', record(5, 'failed', { updatedAtMs: NOW_MS - 60_001 })),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'nor brings anything back a while later',
      records: [record(4, 'superseded', { updatedAtMs: NOW_MS - 60_001 })],
      ...back,
      write: write('fleet', record(4, 'superseded', { updatedAtMs: NOW_MS - 60_001 }), record(4, 'deployed')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'an older revision never comes back',
      records: [record(3, 'superseded'), was],
      ...back,
      write: move('fleet', 3, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'nor one below the failed revision while that is there',
      records: [was, failed],
      ...back,
      write: move('fleet', 4, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'nor a second deployed one',
      records: [record(3, 'deployed'), was],
      ...back,
      write: move('fleet', 4, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'nor with another manifest',
      records: [was],
      ...back,
      write: move('fleet', 4, 'superseded', 'deployed', { changedParts: ['manifest'] }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'nor as anything else',
      records: [was],
      ...back,
      write: move('fleet', 4, 'superseded', 'uninstalled'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not on a frozen release',
      records: [was, failed],
      ...rollback,
      frozen: true,
      write: remove('fleet', failed),
      expect: 'BelayFrozen',
    },
    {
      name: 'nor is anything brought back on one',
      records: [was],
      ...back,
      frozen: true,
      write: move('fleet', 4, 'superseded', 'deployed'),
      expect: 'BelayFrozen',
    },
    {
      name: 'no lock is lost with it',
      records: [was, record(5, 'failed', locked)],
      ...rollback,
      write: remove('fleet', record(5, 'failed', locked)),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'a lock that others carry as well is not lost',
      records: [record(4, 'superseded', locked), record(5, 'failed', locked)],
      ...rollback,
      write: remove('fleet', record(5, 'failed', locked)),
      expect: 'taken back rollback v4',
    },
    {
      name: 'in ConfigMaps, whatever there is in Secrets',
      records: [
        record(4, 'superseded', { kind: 'ConfigMap' }),
        record(5, 'failed', { kind: 'ConfigMap' }),
        record(9, 'superseded'),
      ],
      ...rollback,
      write: remove('fleet', record(5, 'failed', { kind: 'ConfigMap' })),
      expect: 'taken back rollback v4',
    },
  ]);
});
