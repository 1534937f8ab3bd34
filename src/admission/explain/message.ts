import type { Denial } from '../../rules/verdict.ts';
import { explainDrift } from './drift.ts';
import type { Cause, Explanation } from './explanation.ts';
import { explainFreeze } from './freeze.ts';
import { explainBadLock, explainLockForbidden, explainRecord } from './lock.ts';
import { explainClaim, explainFenced, explainInFlight, explainUnavailable } from './operation.ts';
import { explainBadPolicy } from './policy.ts';
import { explainDowngrade, explainPinned } from './version.ts';

/**
 * The words for a denial. On the terminal of kubectl or Helm they follow `admission webhook "…" denied the request: `. The first of the causes
 * is the denial itself, for programs.
 */
export const describeDenial = (denial: Denial, nowMs: number): { message: string; causes: Cause[] } => {
  const { headline, lines, causes = [] } = explain(denial, nowMs);
  return {
    message: [`${headline} [${denial.code}]`, ...lines.map((line) => `  ${line}`)].join('\n'),
    causes: [{ reason: denial.code, message: headline }, ...causes],
  };
};

const explain = (denial: Denial, nowMs: number): Explanation => {
  switch (denial.code) {
    case 'BelayOperationInFlight':
      return explainInFlight(denial, nowMs);
    case 'BelayFrozen':
      return explainFreeze(denial, nowMs);
    case 'BelayDrift':
      return explainDrift(denial, nowMs);
    case 'BelayPinned':
      return explainPinned(denial);
    case 'BelayDowngrade':
      return explainDowngrade(denial);
    case 'BelayFenced':
      return explainFenced(denial);
    case 'BelayRecordProtected':
      return explainRecord(denial);
    case 'BelayBadLock':
      return explainBadLock(denial);
    case 'BelayBadPolicy':
      return explainBadPolicy(denial);
    case 'BelayLockForbidden':
      return explainLockForbidden(denial);
    case 'BelayClaimGuarded':
      return explainClaim(denial, nowMs);
    case 'BelayUnavailable':
      return explainUnavailable(denial);
  }
};
