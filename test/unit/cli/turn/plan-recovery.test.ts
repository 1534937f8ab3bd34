import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planRecovery, type Recovery } from '../../../../src/cli/turn/plan-recovery.ts';
import { judgeCondition, type Observed } from '../../../../src/cli/turn/release-condition.ts';
import type { ReleaseRecord } from '../../../../src/helm/record.ts';
import { DEFAULT_INTERVALS } from '../../../../src/intervals/intervals.ts';
import type { Claim } from '../../../../src/rules/in-flight.ts';
import { claim, NOW_MS, record } from '../../rules/releases.ts';

const show = (recovery: Recovery): string =>
  recovery.do === 'roll back'
    ? `roll back to ${recovery.revision}`
    : recovery.do === 'clear' && recovery.keepHistory
      ? 'clear, keeping history'
      : recovery.do;

const { stepSlackMs } = DEFAULT_INTERVALS.lock;

const stuckSight: Observed = {
  nowMs: NOW_MS,
  unchangedMs: 0,
  hasBelay: false,
  stepSlackMs,
  left: { id: 'a', operation: 'upgrade', stepMs: 300_000, how: 'ended', revision: 2 },
};

describe('a release is brought back before a command runs', () => {
  const failedFirst = [record(1, 'failed')];
  const stuckUpgrade = [record(1, 'deployed'), record(2, 'pending-upgrade')];
  const halfWay = [record(1, 'superseded'), record(2, 'pending-upgrade')];
  const stuckInstall = [record(2, 'pending-install')];
  const kept = [record(1, 'superseded'), record(2, 'pending-install')];
  const stuckUninstall = [record(1, 'superseded'), record(2, 'uninstalling')];
  const failed = [record(1, 'deployed'), record(2, 'failed')];
  const cases: readonly [string, readonly ReleaseRecord[], Parameters<typeof planRecovery>[0], boolean, string][] = [
    ['nothing is there', [], 'install', true, 'nothing'],
    [
      'a good revision is never rolled back',
      [record(1, 'superseded'), record(2, 'deployed')],
      'upgrade',
      true,
      'nothing',
    ],
    [
      'a good revision above a dead one',
      [record(2, 'pending-upgrade'), record(3, 'deployed')],
      'upgrade',
      true,
      'nothing',
    ],
    ['an upgrade over a failed one', failed, 'upgrade', false, 'roll back to 1'],
    ['any command over a failed one', failed, 'any', false, 'roll back to 1'],
    ['a rollback needs no help', failed, 'rollback', false, 'nothing'],
    ['an uninstall needs no help', stuckUpgrade, 'uninstall', false, 'nothing'],
    ['an install over a release that is there', failed, 'install', true, 'nothing'],
    ['an upgrade over a stuck one', stuckUpgrade, 'upgrade', false, 'roll back to 1'],
    ['an upgrade over one that died after it had retired the one before', halfWay, 'upgrade', false, 'roll back to 1'],
    ['an install over a failed first one', failedFirst, 'install', true, 'clear'],
    ['upgrade --install over a failed first one: Helm can', failedFirst, 'upgrade', true, 'nothing'],
    ['an install over a stuck first one', stuckInstall, 'install', true, 'clear'],
    ['upgrade --install over a stuck first one', stuckInstall, 'upgrade', true, 'clear'],
    ['upgrade --install over a stuck one whose history was kept', kept, 'upgrade', true, 'clear, keeping history'],
    ['an upgrade over a stuck first one', stuckInstall, 'upgrade', false, 'give up'],
    ['any command over a stuck first one', stuckInstall, 'any', false, 'nothing'],
    ['an install over an uninstall that died', stuckUninstall, 'install', true, 'clear'],
    ['an upgrade over an uninstall that died', stuckUninstall, 'upgrade', false, 'give up'],
  ];
  for (const [name, records, kind, installs, expect] of cases) {
    test(name, () => {
      const condition = judgeCondition({ records, claim: undefined }, stuckSight);
      assert.equal(show(planRecovery(kind, installs, condition, records)), expect);
    });
  }
});

describe('living and dead operations are distinguished', () => {
  const records = [record(1, 'deployed'), record(2, 'pending-upgrade', { updatedAtMs: NOW_MS - 3_600_000 })];
  const claims = (ageMs: number, silenceMs: number): Claim =>
    claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - ageMs, renewedAtMs: NOW_MS - ageMs, silenceMs });
  const vanished = { id: 'a', operation: 'upgrade', stepMs: 60_000, how: 'vanished' } as const;
  const ended = (revision: number) => ({ ...vanished, how: 'ended' as const, revision });
  const cases: readonly [string, Claim | undefined, Partial<Observed>, string][] = [
    ['with Belay, one that renews', claims(20_000, 40_000), { hasBelay: true }, 'work'],
    ['with Belay, one that is silent', claims(41_000, 40_000), { hasBelay: true }, 'stuck'],
    [
      'with Belay, one whose clock runs ahead, but which this process has seen silent',
      claims(-3_600_000, 40_000),
      { hasBelay: true, unchangedMs: 40_000 },
      'stuck',
    ],
    [
      'one whose Helm was seen to end, before Belay knows',
      claims(0, 600_000),
      { hasBelay: true, left: ended(2) },
      'stuck',
    ],
    ['one that began after the one that ended', claims(0, 600_000), { hasBelay: true, left: ended(1) }, 'work'],
    ['without Belay, one that nobody knows: never', undefined, { unchangedMs: 86_400_000 }, 'work'],
    ['without Belay, one whose Helm was seen to end', undefined, { left: ended(2) }, 'stuck'],
    ['without Belay, one that began after the one that ended', undefined, { left: ended(1) }, 'work'],
    ['without Belay, an orphan that may be in a hook', undefined, { left: vanished, unchangedMs: 69_000 }, 'work'],
    [
      'without Belay, an orphan that has been silent for longer than its --timeout',
      undefined,
      { left: vanished, unchangedMs: 70_000 },
      'stuck',
    ],
  ];
  for (const [name, held, sight, expect] of cases) {
    test(name, () => {
      const condition = judgeCondition(
        { records, claim: held },
        { nowMs: NOW_MS, unchangedMs: 0, hasBelay: false, left: undefined, stepSlackMs, ...sight },
      );
      assert.equal(condition.at, expect);
    });
  }

  test('a claim without its record yet counts as work', () => {
    const facts = {
      records: [record(1, 'deployed')],
      claim: claim('upgrade', 2, 'ann', { acquiredAtMs: NOW_MS - 1_000 }),
    };
    assert.equal(judgeCondition(facts, { ...stuckSight, hasBelay: true }).at, 'work');
  });

  test('an operation that was declared dead counts as dead', () => {
    const broken = [record(1, 'deployed'), record(2, 'pending-upgrade', { locks: { 'belay.dev/break': 'x' } })];
    const condition = judgeCondition({ records: broken, claim: claims(0, 40_000) }, { ...stuckSight, left: undefined });
    assert.equal(condition.at, 'stuck');
  });
});
