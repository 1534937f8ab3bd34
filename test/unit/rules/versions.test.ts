import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRange } from '../../../src/helm/chart-range.ts';
import type { Chart } from '../../../src/helm/names.ts';
import { refuseVersion, type VersionLocks, type VersionMove } from '../../../src/rules/versions.ts';
import { RELEASE } from './releases.ts';

const SOURCE = { kind: 'Namespace', namespace: '', name: 'shop' } as const;
const shop = (version: string): Chart => ({ name: 'shop', version });
const pinned = (range: string): VersionLocks => ({ pins: [{ source: SOURCE, range }], noDowngrades: [] });
const noDowngrade: VersionLocks = { pins: [], noDowngrades: [SOURCE] };

interface Case {
  readonly name: string;
  readonly locks: VersionLocks;
  readonly from?: Chart;
  readonly to: Chart;
  readonly operation?: VersionMove['operation'];
  /** The code of the denial, and for a pin its problem. */
  readonly expect: string;
}

const cases: readonly Case[] = [
  { name: 'no lock', locks: { pins: [], noDowngrades: [] }, from: shop('2.0.0'), to: shop('1.0.0'), expect: '' },
  { name: 'the pinned version', locks: pinned('1.4.2'), from: shop('1.4.2'), to: shop('1.4.2'), expect: '' },
  {
    name: 'a version other than the pinned one',
    locks: pinned('1.4.2'),
    from: shop('1.4.2'),
    to: shop('1.4.3'),
    expect: 'BelayPinned version',
  },
  { name: 'a patch inside 1.4.x', locks: pinned('1.4.x'), from: shop('1.4.2'), to: shop('1.4.9'), expect: '' },
  {
    name: 'a minor version outside 1.4.x',
    locks: pinned('1.4.x'),
    from: shop('1.4.2'),
    to: shop('1.5.0'),
    expect: 'BelayPinned version',
  },
  {
    name: 'a version inside a range with a comma',
    locks: pinned('>=1.2, <2'),
    from: shop('1.4.2'),
    to: shop('1.9.0'),
    expect: '',
  },
  { name: 'inside one of two ranges', locks: pinned('1.x || 3.x'), from: shop('1.4.2'), to: shop('3.1.0'), expect: '' },
  { name: 'a version with v', locks: pinned('1.4.x'), from: shop('1.4.2'), to: shop('v1.4.3'), expect: '' },
  { name: 'a version without patch', locks: pinned('1.4.x'), from: shop('1.4.2'), to: shop('1.4'), expect: '' },
  {
    name: 'a version that the range excludes',
    locks: pinned('>=1.2, !=1.5.0'),
    from: shop('1.4.2'),
    to: shop('1.5.0'),
    expect: 'BelayPinned version',
  },
  {
    name: 'a version beside the one that the range excludes',
    locks: pinned('>=1.2, !=1.5.0'),
    from: shop('1.4.2'),
    to: shop('1.5.1'),
    expect: '',
  },
  {
    name: 'a stored range of which a part cannot be read',
    locks: pinned('>=1.2 banana'),
    from: shop('1.4.2'),
    to: shop('3.0.0'),
    expect: 'BelayPinned version',
  },
  {
    name: 'a build other than the pinned one',
    locks: pinned('1.4.2+b1'),
    from: shop('1.4.2+b1'),
    to: shop('1.4.2+b2'),
    expect: 'BelayPinned version',
  },
  {
    name: 'the pinned build',
    locks: pinned('1.4.2+b1'),
    from: shop('1.4.2+b2'),
    to: shop('1.4.2+b1'),
    expect: '',
  },
  {
    name: 'a build of the pinned version, where the pin names none',
    locks: pinned('1.4.2'),
    from: shop('1.4.2'),
    to: shop('1.4.2+abc'),
    expect: '',
  },
  {
    name: 'a pre-release outside a range that names none',
    locks: pinned('>=1.4.0'),
    from: shop('1.4.2'),
    to: shop('1.5.0-rc.1'),
    expect: 'BelayPinned version',
  },
  {
    name: 'a pre-release inside a range that names one',
    locks: pinned('>=1.5.0-rc.0'),
    from: shop('1.4.2'),
    to: shop('1.5.0-rc.1'),
    expect: '',
  },
  {
    name: 'another chart',
    locks: pinned('*'),
    from: shop('1.4.2'),
    to: { name: 'other', version: '1.4.2' },
    expect: 'BelayPinned chart',
  },
  {
    name: 'a version that is not SemVer',
    locks: pinned('1.4.x'),
    from: shop('1.4.2'),
    to: shop('latest'),
    expect: 'BelayPinned unreadable',
  },
  {
    name: 'a pin whose range cannot be read',
    locks: pinned('soon'),
    from: shop('1.4.2'),
    to: shop('1.4.2'),
    expect: 'BelayPinned version',
  },
  {
    name: 'two pins, of which one is broken',
    locks: { pins: [...pinned('1.x').pins, ...pinned('1.4.x').pins], noDowngrades: [] },
    from: shop('1.4.2'),
    to: shop('1.5.0'),
    expect: 'BelayPinned version',
  },
  { name: 'a first install', locks: pinned('1.4.x'), to: shop('1.5.0'), expect: 'BelayPinned version' },
  {
    name: 'a rollback to the deployed version, which is outside the pin',
    locks: pinned('2.x'),
    from: shop('1.4.2'),
    to: shop('1.4.2'),
    operation: 'rollback',
    expect: '',
  },
  {
    name: 'a rollback to another version outside the pin',
    locks: pinned('1.4.x'),
    from: shop('1.4.2'),
    to: shop('1.3.0'),
    operation: 'rollback',
    expect: 'BelayPinned version',
  },
  {
    name: 'an uninstall',
    locks: pinned('9.x'),
    from: shop('1.4.2'),
    to: shop('1.4.2'),
    operation: 'uninstall',
    expect: '',
  },
  { name: 'a downgrade', locks: noDowngrade, from: shop('1.4.2'), to: shop('1.4.1'), expect: 'BelayDowngrade' },
  {
    name: 'a downgrade by rollback',
    locks: noDowngrade,
    from: shop('1.4.2'),
    to: shop('1.3.0'),
    operation: 'rollback',
    expect: 'BelayDowngrade',
  },
  {
    name: 'a downgrade to a pre-release of the same version',
    locks: noDowngrade,
    from: shop('1.4.2'),
    to: shop('1.4.2-rc.1'),
    expect: 'BelayDowngrade',
  },
  { name: 'the same version again', locks: noDowngrade, from: shop('1.4.2'), to: shop('1.4.2'), expect: '' },
  { name: 'an upgrade', locks: noDowngrade, from: shop('1.4.2'), to: shop('1.10.0'), expect: '' },
  {
    name: 'another chart with no-downgrade alone',
    locks: noDowngrade,
    from: shop('1.4.2'),
    to: { name: 'other', version: '0.1.0' },
    expect: '',
  },
  { name: 'a first install under no-downgrade', locks: noDowngrade, to: shop('0.1.0'), expect: '' },
];

describe('a release moves to another chart version', () => {
  for (const { name, locks, from, to, operation = 'upgrade', expect } of cases) {
    test(name, () => {
      const verdict = refuseVersion({ release: RELEASE, operation, chart: to, deployed: from }, locks);
      const denial = verdict === undefined || verdict.allowed ? undefined : verdict.denial;
      const problem = denial?.code === 'BelayPinned' ? ` ${denial.problem}` : '';
      assert.equal(`${denial?.code ?? ''}${problem}`, expect);
    });
  }
});

test('an empty range is a mistake and not "any version"', () => {
  assert.equal(parseRange(' '), undefined);
  assert.equal(parseRange('*') !== undefined, true);
});
