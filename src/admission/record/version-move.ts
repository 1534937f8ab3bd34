import type { Manifests } from '../../facts/manifests.ts';
import type { Situation } from '../../facts/situation.ts';
import type { OperationKind, ReleaseName } from '../../helm/names.ts';
import type { PayloadSummary } from '../../helm/payload.ts';
import { highestDeployed, highestSuperseded } from '../../rules/in-flight.ts';
import { findVersionLocks } from '../../rules/locks.ts';
import type { Verdict } from '../../rules/verdict.ts';
import { refuseVersion } from '../../rules/versions.ts';

export interface RefuseMoveDependencies {
  readonly manifests: Pick<Manifests, 'chartOf'>;
}

/** An operation that the state of its release lets start, with its payload. */
export interface Move {
  readonly release: ReleaseName;
  readonly operation: OperationKind;
  readonly payload: PayloadSummary | undefined;
}

/** Judges a start by the locks on versions. The deployed payload is read only where there is such a lock. */
export const refuseMove = async (
  { manifests }: RefuseMoveDependencies,
  { release, operation, payload }: Move,
  { facts: { records }, namespaces, policy }: Situation,
): Promise<Verdict | undefined> => {
  const locks = findVersionLocks(records, namespaces, policy);
  if (operation === 'uninstall' || payload === undefined || policy.versions.action === 'Off') return undefined;
  if (locks.pins.length === 0 && locks.noDowngrades.length === 0) return undefined;
  // After a failed rollback nothing is deployed. Then the revision that ran last counts. An install begins anew.
  const record = highestDeployed(records) ?? (operation === 'install' ? undefined : highestSuperseded(records));
  const deployed = record === undefined ? undefined : await manifests.chartOf(record);
  const chart = { name: payload.chartName, version: payload.chartVersion };
  return refuseVersion({ release, operation, chart, deployed }, locks);
};
