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

/** An operation that may start as far as its release goes, with the payload that it brings. */
export interface Move {
  readonly release: ReleaseName;
  readonly operation: OperationKind;
  readonly payload: PayloadSummary | undefined;
}

/** Holds a start against the pins of its release; the deployed payload is read only where there is one. */
export const refuseMove = async (
  { manifests }: RefuseMoveDependencies,
  { release, operation, payload }: Move,
  { facts: { records }, namespaces, policy }: Situation,
): Promise<Verdict | undefined> => {
  const locks = findVersionLocks(records, namespaces, policy);
  if (operation === 'uninstall' || payload === undefined || policy.versions.action === 'Off') return undefined;
  if (locks.pins.length === 0 && locks.noDowngrades.length === 0) return undefined;
  // After a rollback that failed nothing is deployed, and what ran last is what counts. An install begins anew.
  const record = highestDeployed(records) ?? (operation === 'install' ? undefined : highestSuperseded(records));
  const deployed = record === undefined ? undefined : await manifests.chartOf(record);
  const chart = { name: payload.chartName, version: payload.chartVersion };
  return refuseVersion({ release, operation, chart, deployed }, locks);
};
