import { isDeepStrictEqual } from 'node:util';
import { parsePolicy } from '../policy/parse-policy.ts';
import { DEFAULT_STALE_AFTER_MS } from '../policy/policy-in-force.ts';
import { allow, deny } from '../rules/verdict.ts';
import type { AdmissionAnswer } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

/**
 * Refuses a ReleasePolicy for what neither the schema of the CRD nor its CEL can check: a schedule, a time zone, a SemVer range. A policy
 * that cannot be read and is stored all the same may still get labels, or lose its finalizers.
 */
export const reviewPolicy = ({ operation, name, object, oldObject }: Review): AdmissionAnswer => {
  if (operation !== 'CREATE' && operation !== 'UPDATE') return allow('not a write');
  if (operation === 'UPDATE' && isDeepStrictEqual(object?.spec, oldObject?.spec)) return allow('unchanged');
  const parsed = parsePolicy({ metadata: { name }, spec: object?.spec }, { staleAfterMs: DEFAULT_STALE_AFTER_MS });
  return parsed.ok ? allow('readable') : deny({ code: 'BelayBadPolicy', policy: name, problems: parsed.problems });
};
