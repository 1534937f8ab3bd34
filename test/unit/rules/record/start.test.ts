import { describe } from 'node:test';
import { claim, NOW_MS, payload, record, write } from '../releases.ts';
import { deployed, SILENT, silentClaim, move, pending, testCases, upgrading } from './cases.ts';

describe('an operation starts', () => {
  testCases([
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
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
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
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
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
      records: [record(1, 'uninstalling', SILENT)],
      claim: silentClaim('uninstall', 1, 'ann'),
      write: write('bob', record(1, 'uninstalling', SILENT), record(1, 'uninstalling'), {
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
