import { describe } from 'node:test';
import { claim, NOW_MS, record, write } from '../releases.ts';
import { deployed, move, pending, testCases } from './cases.ts';

describe('mapkubeapis stores a copy of what is deployed', () => {
  const awaited = { claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 1_000 }) } as const;
  const MAY_BREAK = { mayBreak: true } as const;
  const copy = (user: string, revision = 2) => write(user, undefined, record(revision, 'deployed'));
  testCases([
    {
      name: 'it supersedes the newest revision, and claims the one that is to come',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded', MAY_BREAK),
      expect: 'start upgrade v2',
    },
    {
      name: 'not by somebody who may not break the release',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not below a newer revision',
      records: [deployed, record(2, 'failed')],
      write: move('ann', 1, 'deployed', 'superseded', MAY_BREAK),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'not on a frozen release',
      records: [deployed],
      frozen: true,
      write: move('ann', 1, 'deployed', 'superseded', MAY_BREAK),
      expect: 'BelayFrozen',
    },
    {
      name: 'not with another manifest in what it supersedes',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded', { ...MAY_BREAK, changedParts: ['manifest'] }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'then the copy',
      records: [record(1, 'superseded')],
      ...awaited,
      write: copy('ann'),
      expect: 'start upgrade v2',
    },
    {
      name: 'then the copy, although the release was frozen meanwhile',
      records: [record(1, 'superseded')],
      ...awaited,
      frozen: true,
      write: copy('ann'),
      expect: 'start upgrade v2',
    },
    {
      name: 'then the copy, however late',
      records: [record(1, 'superseded')],
      write: copy('ann'),
      expect: 'start upgrade v2',
    },
    {
      name: 'not the copy of somebody else',
      records: [record(1, 'superseded')],
      ...awaited,
      write: copy('bob'),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'not the copy as another revision',
      records: [record(1, 'superseded')],
      ...awaited,
      write: copy('ann', 3),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'nobody begins in between',
      records: [record(1, 'superseded')],
      ...awaited,
      write: write('bob', undefined, pending),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'what it has superseded is not brought back',
      records: [record(1, 'superseded')],
      ...awaited,
      write: move('ann', 1, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
  ]);
});
