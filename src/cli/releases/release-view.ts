import { toSituation } from '../../facts/situation.ts';
import type { Chart, ReleaseName } from '../../helm/names.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import type { Policy } from '../../policy/policy.ts';
import { builtInPolicy, DEFAULT_STALE_AFTER_MS, policyInForce } from '../../policy/policy-in-force.ts';
import { highestDeployed, type OperationState } from '../../rules/in-flight.ts';
import type { NamespaceFacts } from '../../rules/locks.ts';
import type { Stored } from './charts.ts';
import { type Lock, locksOf } from './locks.ts';
import type { Snapshot } from './snapshot.ts';

/** A release as it is shown to a user. Undefined: the user may not read it. */
export interface ReleaseView {
  readonly release: ReleaseName;
  readonly records: readonly ReleaseRecord[];
  /** The highest revision among Secrets and ConfigMaps. */
  readonly newest: ReleaseRecord;
  readonly deployed: ReleaseRecord | undefined;
  /** The chart of the newest revision. */
  readonly chart: Chart | undefined;
  readonly locks: readonly Lock[];
  /** Whether `locks` contains the locks of the Namespaces. */
  readonly areLocksComplete: boolean;
  readonly operation: OperationState;
  readonly policy: Policy | undefined;
  /** Whether the sweep has found drift in the objects of the deployed revision. */
  readonly isDrifted: boolean | undefined;
}

/** Groups records by release, sorted by namespace and name. */
export const groupByRelease = (records: readonly ReleaseRecord[]): readonly (readonly ReleaseRecord[])[] =>
  [...Map.groupBy(records, ({ namespace, release }) => `${namespace}/${release}`)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => group);

export const newestIn = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined =>
  records.reduce<ReleaseRecord | undefined>(
    (newest, record) => (newest === undefined || record.revision > newest.revision ? record : newest),
    undefined,
  );

/** Belay's own policy, as it is without `--stale-after`: it counts where no policy matches, and for a user who may not read policies. */
const BUILT_IN_POLICY = builtInPolicy(DEFAULT_STALE_AFTER_MS);

/** `homes` are the namespaces of objects whose records are in another namespace. */
export const viewReleases = (
  snapshot: Snapshot,
  stored: ReadonlyMap<string, Stored>,
  nowMs: number,
  homes: ReadonlyMap<string, NamespaceFacts | undefined> = new Map(),
): readonly ReleaseView[] =>
  groupByRelease(snapshot.records).flatMap((records): ReleaseView[] => {
    const newest = newestIn(records);
    if (newest === undefined) return [];
    const release = { namespace: newest.namespace, name: newest.release };
    const namespace = snapshot.namespace(release.namespace);
    const payload = stored.get(newest.uid);
    const policy =
      snapshot.policies === undefined || (namespace === undefined && snapshot.policies.length > 0)
        ? undefined
        : policyInForce(snapshot.policies, release, namespace?.labels ?? {}, BUILT_IN_POLICY);
    const isElsewhere = payload !== undefined && payload.namespace !== release.namespace;
    const home = isElsewhere ? (homes.get(payload.namespace) ?? snapshot.namespace(payload.namespace)) : undefined;
    const claim = snapshot.claims?.get(`${release.namespace}/${release.name}`);
    const deployed = highestDeployed(records);
    const facts = { records, claim };
    const { namespaces, operation } = toSituation({
      ...{ release, facts, namespace, home, nowMs },
      policy: policy ?? BUILT_IN_POLICY,
    });
    return [
      {
        release,
        records,
        newest,
        deployed,
        chart: payload?.chart,
        locks: locksOf(records, namespaces, policy, nowMs),
        areLocksComplete: namespace !== undefined && !(isElsewhere && home === undefined),
        operation,
        policy,
        // Drift of an earlier revision no longer counts.
        isDrifted: snapshot.drifted && deployed !== undefined && snapshot.drifted.has(deployed.uid),
      },
    ];
  });
