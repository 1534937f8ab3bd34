import { describe } from 'node:test';
import { claim, NOW_MS, record, write } from '../releases.ts';
import { deployed, move, pending, testCases } from './cases.ts';

describe('mapkubeapis, which stores a copy of the deployed revision', () => {
  const awaited = { claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 1_000 }) } as const;
  const MAY_BREAK = { mayBreak: true } as const;
  const copy = (user: string, revision = 2) => write(user, undefined, record(revision, 'deployed'));
  testCases([
    {
      name: 'it supersedes the newest revision, and claims the next one',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded', MAY_BREAK),
      expect: 'start upgrade v2',
    },
    {
      name: 'a user without the right to break supersedes the newest revision',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded'),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it supersedes a revision below a newer one',
      records: [deployed, record(2, 'failed')],
      write: move('ann', 1, 'deployed', 'superseded', MAY_BREAK),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it supersedes the newest revision of a frozen release',
      records: [deployed],
      frozen: true,
      write: move('ann', 1, 'deployed', 'superseded', MAY_BREAK),
      expect: 'BelayFrozen',
    },
    {
      name: 'it changes the manifest of the revision that it supersedes',
      records: [deployed],
      write: move('ann', 1, 'deployed', 'superseded', { ...MAY_BREAK, changedParts: ['manifest'] }),
      expect: 'BelayRecordProtected',
    },
    {
      name: 'it stores the copy',
      records: [record(1, 'superseded')],
      ...awaited,
      write: copy('ann'),
      expect: 'start upgrade v2',
    },
    {
      name: 'it stores the copy although the release was frozen meanwhile',
      records: [record(1, 'superseded')],
      ...awaited,
      frozen: true,
      write: copy('ann'),
      expect: 'start upgrade v2',
    },
    {
      name: 'it stores the copy after its claim has become void',
      records: [record(1, 'superseded')],
      write: copy('ann'),
      expect: 'start upgrade v2',
    },
    {
      name: 'another user stores a copy',
      records: [record(1, 'superseded')],
      ...awaited,
      write: copy('bob'),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'it stores the copy as another revision than it has claimed',
      records: [record(1, 'superseded')],
      ...awaited,
      write: copy('ann', 3),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'another user starts an operation before the copy is stored',
      records: [record(1, 'superseded')],
      ...awaited,
      write: write('bob', undefined, pending),
      expect: 'BelayOperationInFlight',
    },
    {
      name: 'it marks the superseded revision as deployed again',
      records: [record(1, 'superseded')],
      ...awaited,
      write: move('ann', 1, 'superseded', 'deployed'),
      expect: 'BelayRecordProtected',
    },
  ]);
});
