import { describe } from 'node:test';
import { claim, NOW_MS, record, write } from '../releases.ts';
import { deployed, move, SILENT, silentClaim, testCases } from './cases.ts';

const create = (user: string, revision: number, status: Parameters<typeof record>[1], more = {}) =>
  write(user, undefined, record(revision, status), more);
const mine = claim('upgrade', 2, 'ann');
const running = { records: [record(1, 'superseded'), record(2, 'deployed')], claim: mine } as const;
const failed = { records: [record(1, 'superseded'), record(2, 'failed')], claim: claim('rollback', 2, 'ann') } as const;
const JUST_NOW = { createdAtMs: NOW_MS - 60_000 };
const restored = { records: [record(1, 'superseded', JUST_NOW), record(2, 'failed', JUST_NOW)] };

describe('the number of a new revision', () => {
  testCases([
    ...([4, 9_999, 9_999_999_999] as const).flatMap((revision) =>
      (['pending-upgrade', 'pending-install', 'pending-rollback', 'uninstalling'] as const).map((status) => ({
        name: `an operation begins with revision ${revision} after revision 2, as ${status}`,
        ...running,
        write: create('ann', revision, status),
        expect: 'BelayRecordProtected',
      })),
    ),
    {
      name: 'an upgrade begins with the next revision',
      ...running,
      write: create('ann', 3, 'pending-upgrade'),
      expect: 'start upgrade v3',
    },
    {
      name: 'an upgrade whose Helm has just pruned the failed revision before it',
      records: [deployed],
      claim: mine,
      write: create('ann', 3, 'pending-upgrade'),
      expect: 'start upgrade v3',
    },
    {
      name: 'an install whose Helm has just pruned the failed first install',
      records: [],
      claim: claim('install', 1, 'ann'),
      write: create('ann', 2, 'pending-install'),
      expect: 'start install v2',
    },
    {
      name: 'a release from before Belay, of which Helm has just pruned nine failed revisions',
      records: [deployed],
      write: create('ann', 11, 'pending-upgrade'),
      expect: 'start upgrade v11',
    },
    {
      name: 'a release from before Belay, and a number far ahead',
      records: [deployed],
      write: create('ann', 13, 'pending-upgrade'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'an upgrade after one that was admitted and whose record never came',
      records: [deployed],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: create('ann', 2, 'pending-upgrade'),
      expect: 'start upgrade v2',
    },
    {
      name: 'a first install with the last number that there is',
      records: [],
      write: create('ann', 9_999_999_999, 'pending-install'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'a frozen release is told to be frozen first',
      ...running,
      frozen: true,
      write: create('ann', 9, 'pending-upgrade'),
      expect: 'BelayFrozen',
    },
  ]);
});

describe('a new revision that begins no operation', () => {
  testCases([
    ...(['deployed', 'superseded', 'failed', 'uninstalled'] as const).map((status) => ({
      name: `of a release that does not exist, with a number near the last, as ${status}`,
      records: [],
      write: create('eve', 9_999_999_999, status, { mayBreak: true }),
      expect: 'BelayRecordProtected',
    })),
    ...(['superseded', 'failed', 'uninstalled'] as const).flatMap((status) => [
      {
        name: `is said by somebody to be the next one of a release that runs, as ${status}`,
        ...running,
        write: create('eve', 3, status),
        expect: 'BelayRecordProtected',
      },
      {
        name: `is restored above what runs by who may break, as ${status}`,
        ...running,
        write: create('velero', 5, status, { mayBreak: true }),
        expect: 'stored',
      },
      {
        name: `is said by somebody to be the next one of a release from before Belay, as ${status}`,
        records: [deployed],
        write: create('eve', 2, status),
        expect: 'BelayRecordProtected',
      },
    ]),
    {
      name: 'is deployed, far above what runs',
      ...running,
      write: create('eve', 9, 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'is deployed, and the next one',
      ...running,
      write: create('ann', 3, 'deployed'),
      expect: 'start upgrade v3',
    },
    {
      name: 'has a status that Helm does not know',
      ...running,
      write: create('ann', 1, 'unknown'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'is deployed, between what ran and a rollback that failed',
      records: [record(1, 'superseded'), record(4, 'failed')],
      claim: claim('rollback', 4, 'ann'),
      write: create('eve', 3, 'deployed'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'is superseded, between what ran and a rollback that failed',
      records: [record(1, 'superseded'), record(4, 'failed')],
      claim: claim('rollback', 4, 'ann'),
      write: create('eve', 3, 'superseded'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'says that a release is uninstalled whose rollback failed',
      ...failed,
      write: create('eve', 3, 'uninstalled'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'is history of a release that runs',
      records: [record(3, 'deployed')],
      claim: mine,
      write: create('ann', 1, 'superseded'),
      expect: 'stored',
    },
    {
      name: 'is the uninstalled one of a release that is being restored, after the others',
      ...restored,
      write: create('ann', 4, 'uninstalled'),
      expect: 'stored',
    },
    {
      name: 'is the deployed one of a release that is being restored, with a gap',
      ...restored,
      write: create('ann', 5, 'deployed'),
      expect: 'start upgrade v5',
    },
    {
      name: 'is the failed one of a release that the same user is restoring, above the deployed one',
      records: [record(5, 'deployed', JUST_NOW)],
      claim: claim('install', 5, 'ann'),
      write: create('ann', 8, 'failed'),
      expect: 'stored',
    },
    {
      name: 'is the deployed one of a release that is being restored, below the failed one',
      records: [record(8, 'failed', JUST_NOW)],
      write: create('ann', 5, 'deployed'),
      expect: 'stored',
    },
  ]);
});

describe('a release that ran is never left without a revision that runs', () => {
  const superseded = { records: [record(1, 'superseded'), record(2, 'pending-upgrade')], claim: mine } as const;
  const silent = [record(1, 'superseded'), record(2, 'pending-upgrade', SILENT)];
  testCases([
    {
      name: 'the holder supersedes both revisions',
      ...superseded,
      write: move('ann', 2, 'pending-upgrade', 'superseded'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the holder supersedes both revisions late',
      records: silent,
      claim: silentClaim('upgrade', 2, 'ann'),
      write: write('ann', record(2, 'pending-upgrade', SILENT), record(2, 'superseded')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'another user supersedes the second one of a dead operation',
      records: silent,
      claim: silentClaim('upgrade', 2, 'ann'),
      write: write('eve', record(2, 'pending-upgrade', SILENT), record(2, 'superseded')),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the failed one above a superseded one is superseded',
      ...failed,
      write: move('ann', 2, 'failed', 'superseded'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the holder says that its upgrade is uninstalled',
      ...superseded,
      write: move('ann', 2, 'pending-upgrade', 'uninstalled'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'the failed one above a deployed one is superseded',
      records: [deployed, record(2, 'failed')],
      claim: mine,
      write: move('ann', 2, 'failed', 'superseded'),
      expect: 'superseded',
    },
    {
      name: 'a dead operation is superseded, and the one before it is deployed',
      records: [deployed, record(2, 'pending-upgrade', SILENT)],
      claim: silentClaim('upgrade', 2, 'ann'),
      write: write('flux', record(2, 'pending-upgrade', SILENT), record(2, 'superseded')),
      expect: 'retired',
    },
    {
      name: 'a dead first install is superseded',
      records: [record(1, 'pending-install', SILENT)],
      claim: silentClaim('install', 1, 'ann'),
      write: write('flux', record(1, 'pending-install', SILENT), record(1, 'superseded')),
      expect: 'retired',
    },
    {
      name: 'the holder supersedes the old revision and ends as deployed',
      ...superseded,
      write: move('ann', 2, 'pending-upgrade', 'deployed'),
      expect: 'completion',
    },
    {
      name: 'records are deleted below a revision that says uninstalled, which no uninstall has stored',
      records: [deployed, record(2, 'uninstalled')],
      claim: claim('install', 1, 'ann'),
      write: write('eve', deployed, undefined),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'records are deleted after an uninstall that kept its history, above a deployed revision',
      records: [deployed, record(2, 'uninstalled')],
      claim: claim('uninstall', 2, 'ann'),
      write: write('bob', deployed, undefined),
      expect: 'purge',
    },
  ]);
});
