import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Action, Policy } from '../../../src/policy/policy.ts';
import { builtInPolicy } from '../../../src/policy/policy-in-force.ts';
import { actionOf, judgeUnder, type PolicyRule, waive } from '../../../src/rules/actions.ts';
import { allow, type Denial, deny, type Verdict } from '../../../src/rules/verdict.ts';

const release = { namespace: 'shop', name: 'web' };
const FROZEN: Denial = { code: 'BelayFrozen', release, attempt: 'change', freezes: [] };
const DRIFT: Denial = {
  code: 'BelayDrift',
  release,
  attempt: 'change',
  object: { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' },
  governing: { revision: 1, chart: 'shop-1.4.0' },
  recordKind: 'Secret',
  changes: [],
};
const UNAVAILABLE: Denial = { code: 'BelayUnavailable', problem: 'no answer' };

const policyOf = (actions: Partial<Record<PolicyRule, Action>>): Policy => {
  const { operations, versions, drift, freeze, ...rest } = builtInPolicy(600_000);
  return {
    ...rest,
    operations: { ...operations, action: actions.operations ?? 'Deny' },
    versions: { ...versions, action: actions.versions ?? 'Deny' },
    drift: { ...drift, action: actions.drift ?? 'Deny' },
    freeze: { ...freeze, action: actions.freeze ?? 'Deny' },
  };
};

/** Judges a change of an object of a frozen release: first by the freeze, then by drift. */
const frozenAndDrifted = (waived: ReadonlySet<PolicyRule>): Verdict => {
  if (!waived.has('freeze')) return deny(FROZEN);
  return waived.has('drift') ? allow('waived') : deny(DRIFT);
};

const tell = (verdict: Verdict): string =>
  verdict.allowed
    ? ['allowed', ...(verdict.waived ?? []).map(({ action, denial }) => `${action} ${denial.code}`)].join(', ')
    : verdict.denial.code;

describe('a write that two rules refuse', () => {
  const cases: readonly (readonly [freeze: Action, drift: Action, expected: string])[] = [
    ['Deny', 'Deny', 'BelayFrozen'],
    ['Deny', 'Off', 'BelayFrozen'],
    ['Warn', 'Deny', 'BelayDrift'],
    ['Audit', 'Deny', 'BelayDrift'],
    ['Off', 'Deny', 'BelayDrift'],
    ['Warn', 'Warn', 'allowed, Warn BelayFrozen, Warn BelayDrift'],
    ['Audit', 'Warn', 'allowed, Audit BelayFrozen, Warn BelayDrift'],
    ['Off', 'Audit', 'allowed, Audit BelayDrift'],
    ['Warn', 'Off', 'allowed, Warn BelayFrozen'],
    ['Off', 'Off', 'allowed'],
  ];
  for (const [freeze, drift, expected] of cases) {
    test(`freeze ${freeze}, drift ${drift}: ${expected}`, () => {
      assert.equal(tell(judgeUnder(policyOf({ freeze, drift }), frozenAndDrifted)), expected);
    });
  }
});

test('a denial that belongs to no part of the policy is always refused', () => {
  const observing = policyOf({ operations: 'Audit', versions: 'Audit', drift: 'Audit', freeze: 'Audit' });
  assert.equal(tell(judgeUnder(observing, () => deny(UNAVAILABLE))), 'BelayUnavailable');
  assert.equal(actionOf(observing, 'BelayLockForbidden'), 'Deny');
  assert.equal(actionOf(observing, 'BelayBadLock'), 'Deny');
});

test('a refusal by a waived rule holds', () => {
  assert.equal(tell(judgeUnder(policyOf({ drift: 'Off' }), () => deny(DRIFT))), 'BelayDrift');
});

test('one more refusal is enforced, added to the earlier ones or dropped', () => {
  const passed: Verdict = { allowed: true, why: 'start', waived: [{ action: 'Warn', denial: FROZEN }] };
  assert.equal(tell(waive(policyOf({}), passed, deny(DRIFT))), 'BelayDrift');
  assert.equal(
    tell(waive(policyOf({ drift: 'Audit' }), passed, deny(DRIFT))),
    'allowed, Warn BelayFrozen, Audit BelayDrift',
  );
  assert.equal(tell(waive(policyOf({ drift: 'Off' }), passed, deny(DRIFT))), 'allowed, Warn BelayFrozen');
});
