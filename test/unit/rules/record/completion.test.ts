import { describe } from 'node:test';
import { claim, record, write } from '../releases.ts';
import { deployed, SILENT, silentClaim, move, pending, testCases, upgrading } from './cases.ts';

describe('the holder finishes', () => {
  testCases([
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
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: write('ann', record(2, 'pending-upgrade', SILENT), record(2, 'deployed')),
      expect: 'late completion',
    },
    {
      name: 'late, the old revision is superseded',
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
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
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: write('flux', record(2, 'pending-upgrade', SILENT), record(2, 'failed')),
      expect: 'retired',
    },
    {
      name: 'others may not call a dead one deployed',
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: write('bob', record(2, 'pending-upgrade', SILENT), record(2, 'deployed')),
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
