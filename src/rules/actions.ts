import type { Action, Policy } from '../policy/policy.ts';
import type { DenialCode, Verdict, Waived } from './verdict.ts';

/** The parts of a policy that have an action of their own. */
export type PolicyRule = 'operations' | 'versions' | 'drift' | 'freeze';

/**
 * Which part of the policy decides what a refusal means. A lock that is malformed or written by somebody who may not is always
 * refused, and so is what could not be judged.
 */
const RULES: Readonly<Record<DenialCode, PolicyRule | undefined>> = {
  BelayOperationInFlight: 'operations',
  BelayFenced: 'operations',
  BelayRecordProtected: 'operations',
  BelayClaimGuarded: 'operations',
  BelayFrozen: 'freeze',
  BelayPinned: 'versions',
  BelayDowngrade: 'versions',
  BelayDrift: 'drift',
  BelayBadLock: undefined,
  BelayLockForbidden: undefined,
  BelayBadPolicy: undefined,
  BelayUnavailable: undefined,
};

export const ruleOf = (code: DenialCode): PolicyRule | undefined => RULES[code];

export const actionOf = (policy: Policy, code: DenialCode): Action => {
  const rule = RULES[code];
  return rule === undefined ? 'Deny' : policy[rule].action;
};

/**
 * Judges until nothing speaks against the write but what the policy enforces: where a rule refuses whose action is not Deny, its
 * refusal is kept for whoever tells of it, and the judge is asked again with that rule waived.
 */
export const judgeUnder = <V extends Verdict>(policy: Policy, judge: (waived: ReadonlySet<PolicyRule>) => V): V => {
  const rules = new Set<PolicyRule>();
  const waived: Waived[] = [];
  for (;;) {
    const verdict = judge(rules);
    if (verdict.allowed) return waived.length === 0 ? verdict : { ...verdict, waived };
    const { denial } = verdict;
    const rule = RULES[denial.code];
    // A judge that goes on refusing by a rule that it was told to waive has a reason of its own.
    if (rule === undefined || rules.has(rule)) return verdict;
    const { action } = policy[rule];
    if (action === 'Deny') return verdict;
    rules.add(rule);
    if (action !== 'Off') waived.push({ action, denial });
  }
};

/** What becomes of a write that passed so far when one more rule refuses it. */
export const waive = <V extends Verdict>(policy: Policy, passed: V, refused: Verdict): V | Verdict => {
  if (refused.allowed || !passed.allowed) return passed;
  const action = actionOf(policy, refused.denial.code);
  if (action === 'Deny') return refused;
  if (action === 'Off') return passed;
  return { ...passed, waived: [...(passed.waived ?? []), { action, denial: refused.denial }] };
};
