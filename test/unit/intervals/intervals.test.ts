import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { EXIT, Failure } from '../../../src/cli/failure.ts';
import { differingIntervals, readIntervals } from '../../../src/cli/intervals.ts';
import { CLAIM_VOID_MS, findBrokenRelations } from '../../../src/intervals/check-intervals.ts';
import { DEFAULT_INTERVALS, type Intervals } from '../../../src/intervals/intervals.ts';
import { CLAIM_VOID_AFTER_MS } from '../../../src/rules/in-flight.ts';
import { intervalsEnvironment } from '../../cluster/harness/short-intervals.ts';

const read = (value: unknown): Promise<Intervals> =>
  readIntervals({ BELAY_INTERVALS: typeof value === 'string' ? value : JSON.stringify(value) });

describe('the intervals of a process', () => {
  test('are the shipped ones where nothing is set', async () => {
    assert.equal(await readIntervals({}), DEFAULT_INTERVALS);
    assert.deepEqual(differingIntervals(DEFAULT_INTERVALS), []);
  });

  test('differ in what is set, and in nothing else', async () => {
    const intervals = await read({ lock: { pollMs: 700 }, events: { retryAfterMs: 500 } });
    assert.deepEqual(intervals, {
      ...DEFAULT_INTERVALS,
      lock: { ...DEFAULT_INTERVALS.lock, pollMs: 700 },
      events: { ...DEFAULT_INTERVALS.events, retryAfterMs: 500 },
    });
    assert.deepEqual(differingIntervals(intervals), ['events.retryAfterMs=500', 'lock.pollMs=700']);
  });

  test('of the cluster tests can be read', async () => {
    const intervals = await readIntervals(intervalsEnvironment('short'));
    assert.ok(differingIntervals(intervals).length > 20);
    assert.deepEqual(intervalsEnvironment('shipped'), {});
  });

  const refused: readonly (readonly [what: string, value: unknown, said: RegExp])[] = [
    ['what is no JSON', '{', /JSON/],
    ['a list', [], /expected object/],
    ['an unknown group', { locks: {} }, /locks/],
    ['an unknown name', { lock: { silence: 8_000 } }, /lock.*silence/],
    ['a name that every object has', '{"lock":{"__proto__":{"silenceMs":1}}}', /lock/],
    ['a text', { lock: { pollMs: '700' } }, /lock\.pollMs/],
    ['a fraction', { lock: { pollMs: 0.5 } }, /lock\.pollMs/],
    ['nothing to wait for', { lock: { pollMs: 0 } }, /lock\.pollMs/],
    ['more than a day', { lock: { pollMs: 86_400_001 } }, /lock\.pollMs/],
    ['intervals that do not go together', { lock: { renewEveryMs: 20_000 } }, /lock\.silenceMs must be more than/],
  ];
  for (const [what, value, said] of refused) {
    test(`are not read from ${what}`, () =>
      assert.rejects(read(value), (error: unknown) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.exitCode, EXIT.usage);
        assert.match(error.message, /^BELAY_INTERVALS: /);
        assert.match(error.message, said);
        return true;
      }));
  }
});

test('a process that cannot read its intervals says so and ends', () => {
  const main = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');
  for (const args of [['serve'], ['lock', 'upgrade', 'web', './web']]) {
    const env = { PATH: process.env.PATH, BELAY_INTERVALS: '{"lock":{"silence":1}}' };
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], { env, encoding: 'utf8' });
    assert.equal(status, EXIT.usage);
    assert.match(stderr, /^Error: BELAY_INTERVALS: lock: .*silence/);
  }
});

describe('intervals that go together', () => {
  const { claims, mirrors, election, lock, certificates } = DEFAULT_INTERVALS;

  test('are the shipped ones', () => assert.deepEqual(findBrokenRelations(DEFAULT_INTERVALS), []));

  test('know how long a claim is valid without a record', () => assert.equal(CLAIM_VOID_MS, CLAIM_VOID_AFTER_MS));

  const broken: readonly (readonly [what: string, change: Partial<Intervals>, said: RegExp])[] = [
    ['a renewal that may not be lost', { lock: { ...lock, renewEveryMs: 13_334 } }, /three times lock\.renewEveryMs/],
    ['a silence of broken seconds', { lock: { ...lock, silenceMs: 40_500 } }, /whole seconds/],
    ['an outage that outlasts the lock', { lock: { ...lock, outageMs: 40_001 } }, /lock\.outageMs/],
    ['a silence that the webhook refuses', { claims: { ...claims, shortestSilenceMs: 40_001 } }, /refuse the renewals/],
    ['a claim that dies before it is renewed', { claims: { ...claims, shortestSilenceMs: 29_999 } }, /two renewals/],
    ['a claim removed while it is valid', { claims: { ...claims, orphanAfterMs: 10_000 } }, /orphanAfterMs/],
    ['a Lease of broken seconds', { election: { ...election, leaseMs: 15_001 } }, /election\.leaseMs must be whole/],
    ['two leaders', { election: { ...election, renewDeadlineMs: 15_000 } }, /two replicas would lead/],
    ['a leader with one chance', { election: { ...election, retryMs: 5_000 } }, /twice election\.retryMs/],
    ['a mirror called stale too soon', { mirrors: { ...mirrors, staleAfterMs: 3_000 } }, /mirrors\.staleAfterMs/],
    ['a back-off that shrinks', { certificates: { ...certificates, lastBackoffMs: 100 } }, /firstBackoffMs must not/],
  ];
  for (const [what, change, said] of broken) {
    test(`are not found where there is ${what}`, () => {
      const problems = findBrokenRelations({ ...DEFAULT_INTERVALS, ...change });
      assert.ok(
        problems.some((problem) => said.test(problem)),
        problems.join('\n'),
      );
    });
  }
});
