import { isDeepStrictEqual } from 'node:util';
import { parsePolicy } from '../policy/parse-policy.ts';
import { DEFAULT_STALE_AFTER_MS } from '../policy/policy-in-force.ts';
import { allow, deny } from '../rules/verdict.ts';
import type { AdmissionAnswer } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

/**
 * Refuses a ReleasePolicy whose schedule, time zone or SemVer range cannot be read: neither the schema of the CRD nor its CEL checks these. A
 * stored policy that cannot be read may still get labels, or lose its finalizers.
 */
export const reviewPolicy = ({ operation, name, object, oldObject }: Review): AdmissionAnswer => {
  if (operation !== 'CREATE' && operation !== 'UPDATE') return allow('not a write');
  if (operation === 'UPDATE' && isDeepStrictEqual(object?.spec, oldObject?.spec)) return allow('unchanged');
  const parsed = parsePolicy({ metadata: { name }, spec: object?.spec }, { staleAfterMs: DEFAULT_STALE_AFTER_MS });
  return parsed.ok ? allow('readable') : deny({ code: 'BelayBadPolicy', policy: name, problems: parsed.problems });
};
