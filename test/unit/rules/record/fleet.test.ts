import { describe } from 'node:test';
import type { ReleaseRecord } from '../../../../src/helm/record.ts';
import type { RecordWrite } from '../../../../src/rules/record/write.ts';
import { claim, NOW_MS, record, write } from '../releases.ts';
import { move, testCases } from './cases.ts';

describe('Fleet takes a failed rollback back', () => {
  const was = record(4, 'superseded');
  const failed = record(5, 'failed');
  const rollback = { claim: claim('rollback', 5, 'fleet') } as const;
  /** What the claim says once the failed revision is gone. */
  const back = { claim: claim('rollback', 4, 'fleet', { acquiredAtMs: NOW_MS - 2_000 }) } as const;
  const remove = (user: string, target: ReleaseRecord): RecordWrite => write(user, target, undefined);
  const locked = { locks: { 'belay.dev/pin': '1.x' } };
  testCases([
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
