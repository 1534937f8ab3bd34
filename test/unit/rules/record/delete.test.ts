import { describe } from 'node:test';
import type { ReleaseRecord } from '../../../../src/helm/record.ts';
import type { RecordWrite } from '../../../../src/rules/record/write.ts';
import { claim, record, write } from '../releases.ts';
import { deployed, SILENT, silentClaim, pending, testCases, upgrading } from './cases.ts';

describe('a record is deleted', () => {
  const remove = (user: string, target: ReleaseRecord, more: Partial<RecordWrite> = {}): RecordWrite =>
    write(user, target, undefined, more);
  const old = record(1, 'superseded');
  testCases([
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
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: remove('bob', record(2, 'pending-upgrade', SILENT)),
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
