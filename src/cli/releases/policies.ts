import { POLICIES_PATH } from '../../facts/policy-status.ts';
import type { StoredPolicy } from '../../facts/stored-policy.ts';
import { type Api, isNotFound } from '../../kubernetes/api.ts';
import { listAll } from '../../kubernetes/list-all.ts';
import type { ReflectedObject } from '../../kubernetes/object.ts';
import { DEFAULT_STALE_AFTER_MS } from '../../policy/policy-in-force.ts';

/** All ReleasePolicies, read as Belay reads them. Empty when the kind is not installed. */
export const readPolicies = async (api: Api): Promise<readonly StoredPolicy[]> => {
  let objects: readonly ReflectedObject[];
  try {
    objects = await listAll(api, POLICIES_PATH);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
  if (objects.length === 0) return [];
  // The schema takes a while to load, and most clusters have no policies.
  const [{ parsePolicy }, { readStoredPolicy }] = await Promise.all([
    import('../../policy/parse-policy.ts'),
    import('../../facts/stored-policy.ts'),
  ]);
  return objects.map((object) =>
    readStoredPolicy(object, undefined, (text) => parsePolicy(text, { staleAfterMs: DEFAULT_STALE_AFTER_MS })),
  );
};
