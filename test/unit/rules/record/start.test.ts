import { describe } from 'node:test';
import { claim, NOW_MS, payload, record, write } from '../releases.ts';
import { deployed, move, pending, SILENT, silentClaim, testCases, upgrading } from './cases.ts';

describe('the start of an operation', () => {
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
      name: 'a rollback by another user while an upgrade is in flight',
      ...upgrading,
      write: write('bob', undefined, record(3, 'pending-rollback')),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'a rollback by the holder of an upgrade in flight',
      ...upgrading,
      write: write('ann', undefined, record(3, 'pending-rollback')),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'an uninstall while an upgrade is in flight',
      ...upgrading,
      write: move('bob', 2, 'pending-upgrade', 'uninstalling'),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'an upgrade while an uninstall is in flight',
      records: [record(1, 'uninstalling')],
      claim: claim('uninstall', 1, 'ann'),
      write: write('bob', undefined, pending),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'an uninstall while the record of an admitted upgrade has not appeared yet',
      records: [deployed],
      claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 9_999 }),
      write: move('bob', 1, 'deployed', 'uninstalling'),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'an uninstall after the claim of an upgrade without a record became void',
      records: [deployed],
      claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 10_000 }),
      write: move('bob', 1, 'deployed', 'uninstalling'),
      expect: 'start uninstall v1',
    },
    {
      name: 'an install right after an uninstall that removed every record',
      records: [],
      claim: claim('uninstall', 1, 'ann', { acquiredAtMs: NOW_MS - 1_000 }),
      write: write('bob', undefined, record(1, 'pending-install')),
      expect: 'start install v1',
    },
    {
      name: 'an upgrade while an admitted uninstall is not stored yet',
      records: [deployed],
      claim: claim('uninstall', 1, 'ann', { acquiredAtMs: NOW_MS - 1_000, recordVersion: deployed.resourceVersion }),
      write: write('bob', undefined, pending),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'an install right after an uninstall that kept history',
      records: [record(1, 'superseded', { resourceVersion: '7' })],
      claim: claim('uninstall', 1, 'ann', { acquiredAtMs: NOW_MS - 1_000, recordVersion: '1' }),
      write: write('ann', undefined, record(2, 'pending-install')),
      expect: 'start install v2',
    },
    {
      name: 'a rollback right after a failed upgrade',
      records: [deployed, record(2, 'failed')],
      claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 1_000 }),
      write: write('ann', undefined, record(3, 'pending-rollback')),
      expect: 'start rollback v3',
    },
    {
      name: 'a rollback that takes over a stale upgrade',
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: write('bob', undefined, record(3, 'pending-rollback')),
      expect: 'takeover rollback v3 over stale v2',
    },
    {
      name: 'a rollback that takes over an upgrade that was declared dead',
      records: [deployed, record(2, 'pending-upgrade', { locks: { 'belay.dev/break': 'job was killed' } })],
      claim: claim('upgrade', 2, 'ann'),
      write: write('bob', undefined, record(3, 'pending-rollback')),
      expect: 'takeover rollback v3 over broken v2',
    },
    {
      name: 'a rollback while the record of an upgrade is old and its claim was renewed',
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: claim('upgrade', 2, 'ann'),
      write: write('bob', undefined, record(3, 'pending-rollback')),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'an upgrade while an old revision is still pending below a newer one',
      records: [record(1, 'pending-upgrade'), record(2, 'deployed')],
      write: write('ann', undefined, record(3, 'pending-upgrade')),
      expect: 'start upgrade v3',
    },
    {
      name: 'an install with a revision below the newest one',
      records: [record(2, 'deployed')],
      write: write('ann', undefined, record(1, 'pending-install')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'an upgrade of a frozen release',
      records: [deployed],
      frozen: true,
      write: write('ann', undefined, pending),
      expect: 'BelayFrozen',
    },
    {
      name: 'an uninstall of a frozen release',
      records: [deployed],
      frozen: true,
      write: move('ann', 1, 'deployed', 'uninstalling'),
      expect: 'BelayFrozen',
    },
    {
      name: 'a second uninstall that takes over a stale one',
      records: [record(1, 'uninstalling', SILENT)],
      claim: silentClaim('uninstall', 1, 'ann'),
      write: write('bob', record(1, 'uninstalling', SILENT), record(1, 'uninstalling'), {
        payload: payload(1, 'uninstalling', { deleted: 'later' }),
        payloadBefore: payload(1, 'uninstalling', { deleted: 'first' }),
      }),
      expect: 'takeover uninstall v1 over stale v1',
    },
    {
      name: 'a second uninstall by the holder of the first, although the release was frozen meanwhile',
      records: [record(1, 'uninstalling')],
      claim: claim('uninstall', 1, 'ann'),
      frozen: true,
      write: move('ann', 1, 'uninstalling', 'uninstalling', {
        payload: payload(1, 'uninstalling', { deleted: 'later' }),
        payloadBefore: payload(1, 'uninstalling', { deleted: 'first' }),
      }),
      expect: 'start uninstall v1',
    },
    {
      name: 'a second uninstall by another user than the holder of the first, which is in flight',
      records: [record(1, 'uninstalling')],
      claim: claim('uninstall', 1, 'ann'),
      write: move('bob', 1, 'uninstalling', 'uninstalling', {
        payload: payload(1, 'uninstalling', { deleted: 'later' }),
        payloadBefore: payload(1, 'uninstalling', { deleted: 'first' }),
      }),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'a second uninstall by the holder of the first, which is in flight',
      records: [record(1, 'uninstalling')],
      claim: claim('uninstall', 1, 'ann'),
      write: move('ann', 1, 'uninstalling', 'uninstalling', {
        payload: payload(1, 'uninstalling', { deleted: 'later' }),
        payloadBefore: payload(1, 'uninstalling', { deleted: 'first' }),
      }),
      expect: 'start uninstall v1',
    },
    {
      name: 'a rollback while an upgrade is in flight, in ConfigMaps',
      records: [record(1, 'deployed', { kind: 'ConfigMap' }), record(2, 'pending-upgrade', { kind: 'ConfigMap' })],
      write: write('bob', undefined, record(3, 'pending-rollback', { kind: 'ConfigMap' })),
      expect: 'BelayOperationInFlight',
    },
  ]);
});
