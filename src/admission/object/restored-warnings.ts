import type { Policy } from '../../policy/policy.ts';
import { HELM_MANAGER } from '../../rules/drift/field-ownership.ts';
import { RESTORES_CHART } from '../../rules/object.ts';
import { warnOfCreator, warnOfOwners } from '../explain/ownership.ts';
import type { Changes, GovernedWrite } from './governed-write.ts';

/** Whoever brings back what the chart sets is told when Helm does not own it afterwards. */
export const warningsOfRestored = (
  { release, object }: GovernedWrite['write'],
  changes: Changes,
  document: Record<string, unknown>,
  { policy, left, why }: { readonly policy: Policy; readonly left: readonly string[]; readonly why: string },
): readonly string[] => {
  if (why !== RESTORES_CHART) return warnOfOwners(release, changes.restored(document, policy, left));
  const creator = changes.creator();
  return creator === undefined || creator === HELM_MANAGER ? [] : warnOfCreator(release, object, creator);
};
