import { describe } from 'node:test';
import { payload, record, write } from '../releases.ts';
import { deployed, move, testCases, upgrading } from './cases.ts';

describe('a stored revision keeps', () => {
  testCases([
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
