import { isDeepStrictEqual } from 'node:util';
import { parsePolicy } from '../policy/parse-policy.ts';
import { allow, deny } from '../rules/verdict.ts';
import type { AdmissionAnswer } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

/** Any will do: it is filled in where a policy does not say, and only what the policy says can be wrong. */
const STALE_AFTER_MS = 600_000;

/**
 * Refuses a ReleasePolicy for what neither the schema of the CRD nor its CEL can tell: a schedule, a time zone, a SemVer range. One that
 * cannot be read and got in nonetheless may still be labelled or rid of its finalizers.
 */
export const reviewPolicy = ({ operation, name, object, oldObject }: Review): AdmissionAnswer => {
  if (operation !== 'CREATE' && operation !== 'UPDATE') return allow('not a write');
  if (operation === 'UPDATE' && isDeepStrictEqual(object?.spec, oldObject?.spec)) return allow('unchanged');
  const parsed = parsePolicy({ metadata: { name }, spec: object?.spec }, { staleAfterMs: STALE_AFTER_MS });
  return parsed.ok ? allow('readable') : deny({ code: 'BelayBadPolicy', policy: name, problems: parsed.problems });
};
