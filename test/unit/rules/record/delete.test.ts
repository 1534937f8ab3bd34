import { describe } from 'node:test';
import type { ReleaseRecord } from '../../../../src/helm/record.ts';
import type { RecordWrite } from '../../../../src/rules/record/write.ts';
import { claim, NOW_MS, record, write } from '../releases.ts';
import { deployed, pending, SILENT, silentClaim, testCases, upgrading } from './cases.ts';

describe('the delete of a record', () => {
  const remove = (user: string, target: ReleaseRecord, more: Partial<RecordWrite> = {}): RecordWrite =>
    write(user, target, undefined, more);
  const old = record(1, 'superseded');
  /** A freeze that the policy only warns about: the write is judged as if the release were not frozen. */
  const frozen = record(1, 'superseded', { locks: { 'belay.dev/freeze': 'audit' } });
  const thawed = record(1, 'superseded', {
    locks: { 'belay.dev/freeze': 'audit', 'belay.dev/freeze-until': new Date(NOW_MS - 1_000).toISOString() },
  });
  const pinnedPending = record(2, 'pending-upgrade', { ...SILENT, locks: { 'belay.dev/pin': '1.x' } });
  const firstPinned = record(1, 'pending-install', { ...SILENT, locks: { 'belay.dev/pin': '1.x' } });
  const ENDED = { 'belay.dev/freeze': 'friday', 'belay.dev/freeze-until': '2020-01-01T00:00:00Z' };
  testCases([
    {
      name: 'history is pruned',
      records: [old, record(2, 'deployed')],
      write: remove('ann', old),
      expect: 'prune',
    },
    {
      name: 'a record with the only copy of a pin is pruned',
      records: [record(1, 'superseded', { locks: { 'belay.dev/pin': '1.x' } }), record(2, 'deployed')],
      write: write('ann', record(1, 'superseded', { locks: { 'belay.dev/pin': '1.x' } }), undefined),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'a record is pruned whose pin is also on another revision',
      records: [
        record(1, 'superseded', { locks: { 'belay.dev/pin': '1.x' } }),
        record(2, 'deployed', { locks: { 'belay.dev/pin': '1.x' } }),
      ],
      write: write('ann', record(1, 'superseded', { locks: { 'belay.dev/pin': '1.x' } }), undefined),
      expect: 'prune',
    },
    {
      name: 'a record with the only copy of a freeze is pruned, under a policy that only warns of freezes',
      records: [frozen, record(2, 'deployed')],
      write: remove('ann', frozen),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'a record is pruned whose freeze is also on another revision, under a policy that only warns of freezes',
      records: [frozen, record(2, 'deployed', { locks: { 'belay.dev/freeze': 'audit' } })],
      write: remove('ann', frozen),
      expect: 'prune',
    },
    {
      name: 'a record with the only copy of a freeze that has ended is pruned',
      records: [thawed, record(2, 'deployed')],
      write: remove('ann', thawed),
      expect: 'prune',
    },
    {
      name: 'a deployed revision below another deployed one is pruned',
      records: [deployed, record(2, 'deployed')],
      write: remove('ann', deployed),
      expect: 'prune',
    },
    {
      name: 'a record of a frozen release is pruned',
      records: [old, record(2, 'deployed')],
      frozen: true,
      write: remove('ann', old),
      expect: 'BelayFrozen',
    },
    {
      name: 'the last finalizer is taken off a record of a frozen release',
      records: [old, record(2, 'deployed')],
      frozen: true,
      write: remove('ann', old, { endsDeletion: true }),
      expect: 'BelayFrozen',
    },
    {
      name: 'the last finalizer is taken off what an uninstall in flight deleted, by another user',
      records: [old, record(2, 'uninstalling')],
      claim: claim('uninstall', 2, 'ann'),
      frozen: true,
      write: remove('bob', old, { endsDeletion: true }),
      expect: 'deletion goes on',
    },
    {
      name: 'the last finalizer is taken off the newest revision, which an uninstall has left',
      records: [old],
      claim: claim('uninstall', 2, 'ann'),
      write: remove('bob', old, { endsDeletion: true }),
      expect: 'deletion goes on',
    },
    {
      name: 'the last finalizer is taken off the revision in flight by its holder',
      ...upgrading,
      write: remove('ann', pending, { endsDeletion: true }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the holder supersedes a record that is being deleted, while the release is frozen',
      ...upgrading,
      frozen: true,
      write: remove('ann', deployed, { endsDeletion: true }),
      expect: 'superseded',
    },
    {
      name: 'the garbage collector deletes the newest record, whose owner is gone',
      records: [old, record(2, 'deployed')],
      write: remove('gc', record(2, 'deployed'), { isCollected: true }),
      expect: 'collected',
    },
    {
      name: 'the garbage collector deletes a record of a frozen release, while an upgrade is in flight too',
      ...upgrading,
      frozen: true,
      write: remove('gc', deployed, { isCollected: true }),
      expect: 'BelayFrozen',
    },
    {
      name: 'the newest revision is deleted',
      records: [old, record(2, 'deployed')],
      write: remove('ann', record(2, 'deployed')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the deployed revision below a failed one is deleted',
      records: [deployed, record(2, 'failed')],
      write: remove('ann', deployed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the newest revision failed above the deployed one, and is pruned',
      records: [deployed, record(2, 'failed')],
      write: remove('ann', record(2, 'failed')),
      expect: 'prune',
    },
    {
      name: 'the newest revision failed, and the release is frozen',
      records: [deployed, record(2, 'failed')],
      frozen: true,
      write: remove('ann', record(2, 'failed')),
      expect: 'BelayFrozen',
    },
    {
      name: 'the only revision is a first install that failed',
      records: [record(1, 'failed')],
      write: remove('ann', record(1, 'failed')),
      expect: 'prune',
    },
    {
      name: 'the newest revision was uninstalled, and is superseded by the install that follows',
      records: [record(1, 'superseded')],
      write: remove('ann', record(1, 'superseded')),
      expect: 'prune',
    },
    {
      name: 'the newest revision failed, and carries the only copy of a pin',
      records: [deployed, record(2, 'failed', { locks: { 'belay.dev/pin': '1.x' } })],
      write: remove('ann', record(2, 'failed', { locks: { 'belay.dev/pin': '1.x' } })),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the newest revision failed, and carries the only copy of a freeze that is not enforced',
      records: [deployed, record(2, 'failed', { locks: { 'belay.dev/freeze': 'friday' } })],
      write: remove('ann', record(2, 'failed', { locks: { 'belay.dev/freeze': 'friday' } })),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the newest revision failed, and carries a freeze that has ended',
      records: [deployed, record(2, 'failed', { locks: ENDED })],
      write: remove('ann', record(2, 'failed', { locks: ENDED })),
      expect: 'prune',
    },
    {
      name: 'a dead operation carries the only copy of a pin',
      records: [deployed, record(2, 'pending-upgrade', { ...SILENT, locks: { 'belay.dev/pin': '1.x' } })],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: remove('bob', record(2, 'pending-upgrade', { ...SILENT, locks: { 'belay.dev/pin': '1.x' } })),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the newest revision failed, nothing is deployed, and it alone tells what ran last',
      records: [old, record(2, 'superseded'), record(3, 'failed')],
      write: remove('ann', record(3, 'failed')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the newest revision failed above one that would be in flight without it',
      records: [deployed, pending, record(3, 'failed')],
      write: remove('ann', record(3, 'failed')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the newest revision failed above one that has been pending for long',
      records: [deployed, record(2, 'pending-upgrade', SILENT), record(3, 'failed')],
      write: remove('ann', record(3, 'failed')),
      expect: 'prune',
    },
    {
      name: 'the newest revision failed while the claim of the next one waits for its record',
      records: [deployed, record(2, 'failed')],
      claim: claim('upgrade', 3, 'ann', { acquiredAtMs: NOW_MS - 1_000 }),
      write: remove('bob', record(2, 'failed')),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'the newest revision has a status that nobody knows',
      records: [deployed, record(2, 'unknown')],
      write: remove('ann', record(2, 'unknown')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the holder deletes the revision in flight',
      ...upgrading,
      write: remove('ann', pending),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'the holder of an uninstall deletes the oldest record first',
      records: [old, record(2, 'uninstalling')],
      claim: claim('uninstall', 2, 'ann'),
      write: remove('ann', old),
      expect: 'uninstall',
    },
    {
      name: 'the holder of an uninstall deletes a record although the release was frozen meanwhile',
      records: [record(2, 'uninstalling')],
      claim: claim('uninstall', 2, 'ann'),
      frozen: true,
      write: remove('ann', record(2, 'uninstalling')),
      expect: 'uninstall',
    },
    {
      name: 'the holder of an uninstall that has deleted its newest record goes on with the deployed one',
      records: [deployed],
      claim: claim('uninstall', 2, 'ann'),
      frozen: true,
      write: remove('ann', deployed),
      expect: 'uninstall',
    },
    {
      name: 'another user goes on with an uninstall that has deleted its newest record',
      records: [deployed],
      claim: claim('uninstall', 2, 'ann'),
      write: remove('bob', deployed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the holder of an uninstall goes on after nothing was heard of it for too long',
      records: [deployed],
      claim: silentClaim('uninstall', 2, 'ann'),
      write: remove('ann', deployed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the holder of an uninstall deletes a newer revision than it has uninstalled',
      records: [record(3, 'deployed')],
      claim: claim('uninstall', 2, 'ann'),
      write: remove('ann', record(3, 'deployed')),
      expect: 'BelayRecordProtected',
    },
    {
      name: "by nobody else during somebody's uninstall",
      records: [old, record(2, 'uninstalling')],
      claim: claim('uninstall', 2, 'ann'),
      write: remove('bob', old),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'the record of a dead operation is deleted',
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: remove('bob', record(2, 'pending-upgrade', SILENT)),
      expect: 'dead operation',
    },
    {
      name: 'the record of a dead operation is deleted, with the only copy of a pin',
      records: [deployed, pinnedPending],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: remove('bob', pinnedPending),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the record of a dead operation is deleted, whose pin is also on the deployed revision',
      records: [record(1, 'deployed', { locks: { 'belay.dev/pin': '1.x' } }), pinnedPending],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: remove('bob', pinnedPending),
      expect: 'dead operation',
    },
    {
      name: 'the record of a dead first install is deleted, and its pin with it',
      records: [firstPinned],
      claim: silentClaim('install', 1, 'ann'),
      write: remove('bob', firstPinned),
      expect: 'dead operation',
    },
    {
      name: 'helm uninstall deletes what uninstall --keep-history left',
      records: [old, record(2, 'uninstalled')],
      write: remove('ann', old),
      expect: 'purge',
    },
    {
      name: 'a record in a terminating namespace is deleted',
      records: [deployed],
      frozen: true,
      write: remove('ann', deployed, { terminating: true }),
      expect: 'terminating namespace',
    },
  ]);
});
