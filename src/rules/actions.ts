import type { Action, Policy } from '../policy/policy.ts';
import type { DenialCode, Verdict, Waived } from './verdict.ts';

/** The parts of a policy that have an action of their own. */
export type PolicyRule = 'operations' | 'versions' | 'drift' | 'freeze';

/**
 * The part of the policy that decides what becomes of a refusal. Always refused are a malformed lock, a lock by a user without the right, a
 * malformed policy, and a write that could not be judged.
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
 * Asks the judge until it allows the write, or refuses it by a rule that the policy enforces. When a rule refuses whose action is not Deny,
 * the judge is asked again with that rule waived. The verdict carries these refusals, except those whose action is Off.
 */
export const judgeUnder = <V extends Verdict>(policy: Policy, judge: (waived: ReadonlySet<PolicyRule>) => V): V => {
  const rules = new Set<PolicyRule>();
  const waived: Waived[] = [];
  for (;;) {
    const verdict = judge(rules);
    if (verdict.allowed) return waived.length === 0 ? verdict : { ...verdict, waived };
    const { denial } = verdict;
    const rule = RULES[denial.code];
    // A judge may refuse by a rule although that rule is waived. The refusal then holds.
    if (rule === undefined || rules.has(rule)) return verdict;
    const { action } = policy[rule];
    if (action === 'Deny') return verdict;
    rules.add(rule);
    if (action !== 'Off') waived.push({ action, denial });
  }
};

/** The verdict on a write that has passed so far, after one more rule has judged it. */
export const waive = <V extends Verdict>(policy: Policy, passed: V, refused: Verdict): V | Verdict => {
  if (refused.allowed || !passed.allowed) return passed;
  const action = actionOf(policy, refused.denial.code);
  if (action === 'Deny') return refused;
  if (action === 'Off') return passed;
  return { ...passed, waived: [...(passed.waived ?? []), { action, denial: refused.denial }] };
};
