import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSweepPlan } from '../../../src/drift/sweep-plan.ts';
import type { ReleaseName } from '../../../src/helm/names.ts';

const [A, B] = ['a', 'b'].map((name) => ({ namespace: 'shop', name })) as [ReleaseName, ReleaseName];
const MINUTE_MS = 60_000;

describe('which release is looked at next', () => {
  const open = () => {
    const clock = { ms: 0 };
    const plan = createSweepPlan(
      () => clock.ms,
      () => 0.5,
    );
    let policy: object = {};
    const refill = (...releases: ReleaseName[]) => plan.refill(releases, () => ({ everyMs: MINUTE_MS, policy }));
    const all = () => {
      const found: string[] = [];
      for (let next = plan.next(); next !== undefined; next = plan.next()) found.push(next.name);
      return found.join(' ');
    };
    return {
      clock,
      plan,
      refill,
      all,
      changePolicy: () => {
        policy = {};
      },
    };
  };

  test('each release once, and again when its interval has passed', () => {
    const { clock, refill, all } = open();
    refill(A, B);
    assert.equal(all(), 'a b');
    clock.ms = MINUTE_MS - 1;
    refill(A, B);
    assert.equal(all(), '');
    clock.ms = MINUTE_MS;
    refill(A, B);
    assert.equal(all(), 'a b');
  });

  test('a release whose drift was allowed comes first, once, when the write has been stored', () => {
    const { clock, plan, refill, all } = open();
    refill(A, B);
    plan.recheck(B, 1000);
    assert.equal(plan.next()?.name, 'a');
    clock.ms = 1000;
    assert.equal(all(), 'b');
    refill(A, B);
    assert.equal(all(), '');
  });

  test('a release at once, when another policy has come into force', () => {
    const { refill, all, changePolicy } = open();
    refill(A);
    all();
    changePolicy();
    refill(A);
    assert.equal(all(), 'a');
  });

  test('no release where the policy says Off, and every release after a reset', () => {
    const { plan, refill, all } = open();
    plan.refill([A], () => undefined);
    assert.equal(all(), '');
    refill(A);
    assert.equal(all(), 'a');
    plan.reset();
    refill(A);
    assert.equal(all(), 'a');
  });
});
