import { describe } from 'node:test';
import { claim, record, write } from '../releases.ts';
import { deployed, move, pending, SILENT, silentClaim, testCases, upgrading } from './cases.ts';

describe('the end of an operation', () => {
  testCases([
    {
      name: 'the holder marks the upgrade as deployed',
      ...upgrading,
      write: move('ann', 2, 'pending-upgrade', 'deployed'),
      expect: 'completion',
    },
    {
      name: 'the holder marks the upgrade as failed',
      ...upgrading,
      write: move('ann', 2, 'pending-upgrade', 'failed'),
      expect: 'completion',
    },
    {
      name: 'the holder stores the run of a hook',
      ...upgrading,
      write: move('ann', 2, 'pending-upgrade', 'pending-upgrade'),
      expect: 'progress',
    },
    {
      name: 'the holder supersedes the old revision',
      ...upgrading,
      write: move('ann', 1, 'deployed', 'superseded'),
      expect: 'superseded',
    },
    {
      name: 'the holder finishes although the release was frozen during the operation',
      ...upgrading,
      frozen: true,
      write: move('ann', 2, 'pending-upgrade', 'deployed'),
      expect: 'completion',
    },
    {
      name: 'the holder finishes late, before another operation starts',
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: write('ann', record(2, 'pending-upgrade', SILENT), record(2, 'deployed')),
      expect: 'late completion',
    },
    {
      name: 'the holder supersedes the old revision late',
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: move('ann', 1, 'deployed', 'superseded'),
      expect: 'late completion',
    },
    {
      name: 'an operation that began before Belay was installed is finished',
      records: [deployed, pending],
      write: move('ann', 2, 'pending-upgrade', 'deployed'),
      expect: 'completion',
    },
    {
      name: 'the holder ends an uninstall that keeps history',
      records: [record(1, 'uninstalling')],
      claim: claim('uninstall', 1, 'ann'),
      write: move('ann', 1, 'uninstalling', 'uninstalled'),
      expect: 'completion',
    },
    {
      name: 'the holder stores the run of an uninstall hook',
      records: [record(1, 'uninstalling')],
      claim: claim('uninstall', 1, 'ann'),
      write: move('ann', 1, 'uninstalling', 'uninstalling'),
      expect: 'progress',
    },
    {
      name: 'another user may not finish the upgrade',
      ...upgrading,
      write: move('bob', 2, 'pending-upgrade', 'failed'),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'another user may not supersede the deployed revision',
      ...upgrading,
      write: move('bob', 1, 'deployed', 'superseded'),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'another user may mark a stale upgrade as failed',
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: write('flux', record(2, 'pending-upgrade', SILENT), record(2, 'failed')),
      expect: 'retired',
    },
    {
      name: 'another user may not mark a dead upgrade as deployed',
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: write('bob', record(2, 'pending-upgrade', SILENT), record(2, 'deployed')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the holder of an overtaken operation may not finish it',
      records: [deployed, pending, record(3, 'pending-rollback')],
      claim: claim('rollback', 3, 'bob'),
      write: move('ann', 2, 'pending-upgrade', 'deployed'),
      expect: 'BelayFenced',
    },
    {
      name: 'the holder of an overtaken operation may not finish it after the next one has ended',
      records: [record(1, 'superseded'), pending, record(3, 'deployed')],
      claim: claim('rollback', 3, 'bob'),
      write: move('ann', 2, 'pending-upgrade', 'failed'),
      expect: 'BelayFenced',
    },
  ]);
});
