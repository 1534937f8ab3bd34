import { describe } from 'node:test';
import type { ReleaseRecord } from '../../../../src/helm/record.ts';
import type { RecordWrite } from '../../../../src/rules/record/write.ts';
import { claim, NOW_MS, record, write } from '../releases.ts';
import { move, testCases } from './cases.ts';

describe('Fleet, which takes back a failed rollback', () => {
  const was = record(4, 'superseded');
  const failed = record(5, 'failed');
  const rollback = { claim: claim('rollback', 5, 'fleet') } as const;
  /** The claim after the delete of the failed revision. */
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
      name: 'it stores the revision below as deployed',
      records: [was],
      ...back,
      write: move('fleet', 4, 'superseded', 'deployed'),
      expect: 'taken back',
    },
    {
      name: 'it stores the revision below as failed',
      records: [record(3, 'deployed'), was],
      ...back,
      write: move('fleet', 4, 'superseded', 'failed'),
      expect: 'taken back',
    },
    {
      name: 'another user deletes the failed revision',
      records: [was, failed],
      ...rollback,
      write: remove('bob', failed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'another user stores the revision below as deployed',
      records: [was],
      ...back,
      write: move('bob', 4, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it stores the revision below before it has deleted the failed one',
      records: [was],
      ...rollback,
      write: move('fleet', 4, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the next operation starts right after',
      records: [record(4, 'deployed')],
      ...back,
      write: write('fleet', undefined, record(5, 'pending-rollback')),
      expect: 'start rollback v5',
    },
    {
      name: 'it deletes the revision of a failed upgrade',
      records: [was, failed],
      claim: claim('upgrade', 5, 'fleet'),
      write: remove('fleet', failed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it deletes the failed revision of a rollback without a claim',
      records: [was, failed],
      write: remove('fleet', failed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it deletes the failed revision above a deployed one',
      records: [record(4, 'deployed'), failed],
      ...rollback,
      write: remove('fleet', failed),
      expect: 'prune',
    },
    {
      name: 'it deletes the failed revision with no revision below',
      records: [record(3, 'superseded'), failed],
      ...rollback,
      write: remove('fleet', failed),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it deletes the failed revision too late',
      records: [was, record(5, 'failed', { updatedAtMs: NOW_MS - 60_001 })],
      ...rollback,
      write: remove('fleet', record(5, 'failed', { updatedAtMs: NOW_MS - 60_001 })),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it stores the revision below too late',
      records: [record(4, 'superseded', { updatedAtMs: NOW_MS - 60_001 })],
      ...back,
      write: write('fleet', record(4, 'superseded', { updatedAtMs: NOW_MS - 60_001 }), record(4, 'deployed')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it stores an older revision as deployed',
      records: [record(3, 'superseded'), was],
      ...back,
      write: move('fleet', 3, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it stores the revision below while the failed one is still there',
      records: [was, failed],
      ...back,
      write: move('fleet', 4, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it stores the revision below as deployed beside another deployed one',
      records: [record(3, 'deployed'), was],
      ...back,
      write: move('fleet', 4, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it stores the revision below with another manifest',
      records: [was],
      ...back,
      write: move('fleet', 4, 'superseded', 'deployed', { changedParts: ['manifest'] }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it stores the revision below with another status',
      records: [was],
      ...back,
      write: move('fleet', 4, 'superseded', 'uninstalled'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it deletes the failed revision of a frozen release',
      records: [was, failed],
      ...rollback,
      frozen: true,
      write: remove('fleet', failed),
      expect: 'BelayFrozen',
    },
    {
      name: 'it stores the revision below of a frozen release',
      records: [was],
      ...back,
      frozen: true,
      write: move('fleet', 4, 'superseded', 'deployed'),
      expect: 'BelayFrozen',
    },
    {
      name: 'it deletes a failed revision with the only copy of a lock',
      records: [was, record(5, 'failed', locked)],
      ...rollback,
      write: remove('fleet', record(5, 'failed', locked)),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it deletes a failed revision whose lock is also on another revision',
      records: [record(4, 'superseded', locked), record(5, 'failed', locked)],
      ...rollback,
      write: remove('fleet', record(5, 'failed', locked)),
      expect: 'taken back rollback v4',
    },
    {
      name: 'it deletes a failed revision in ConfigMaps, whatever the Secrets hold',
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
