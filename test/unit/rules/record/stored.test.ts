import { describe } from 'node:test';
import { payload, record, write } from '../releases.ts';
import { deployed, move, testCases, upgrading } from './cases.ts';

describe('an update of a stored revision', () => {
  testCases([
    {
      name: 'helm test stores the runs of hooks',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed'),
      expect: 'unchanged status',
    },
    {
      name: 'helm test stores the runs of hooks on a frozen release',
      records: [deployed],
      frozen: true,
      write: move('ann', 1, 'deployed', 'deployed'),
      expect: 'unchanged status',
    },
    {
      name: 'upgrade --install supersedes a revision that uninstall --keep-history left',
      records: [record(1, 'uninstalled')],
      write: move('ann', 1, 'uninstalled', 'superseded'),
      expect: 'superseded',
    },
    {
      name: 'upgrade --install supersedes such a revision of a frozen release',
      records: [record(1, 'uninstalled')],
      frozen: true,
      write: move('ann', 1, 'uninstalled', 'superseded'),
      expect: 'BelayFrozen',
    },
    {
      name: 'a user patches the status to pending as a lock',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'pending-upgrade'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the manifest changes',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', { changedParts: ['manifest'] }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the namespace of the objects changes',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', { payload: payload(1, 'deployed', { namespace: 'elsewhere' }) }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the stored payload cannot be read, so its namespace cannot be compared',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', { payloadBefore: undefined }),
      expect: 'unchanged status',
    },
    {
      name: 'the status label disagrees with the payload',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded', { payload: payload(1, 'deployed') }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the name label disagrees with the name',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', {
        labels: { owner: 'helm', name: 'other', version: '1', status: 'deployed' },
      }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the owner label disappears',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', { labels: { name: 'web', version: '1', status: 'deployed' } }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'a user supersedes the deployed revision',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'a user changes labels and annotations',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'deployed', { contentChanged: false }),
      expect: 'metadata',
    },
    {
      name: 'a backup is restored in another order',
      records: [record(3, 'deployed')],
      write: write('velero', undefined, record(1, 'superseded')),
      expect: 'stored',
    },
    {
      name: 'a revision is restored while an operation is in flight',
      ...upgrading,
      write: write('bob', undefined, record(3, 'deployed')),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'a revision is created with the payload of another release',
      records: [],
      write: write('ann', undefined, record(1, 'pending-install'), {
        payload: payload(1, 'pending-install', { name: 'other' }),
      }),
      expect: 'BelayRecordProtected',
    },
  ]);
});
