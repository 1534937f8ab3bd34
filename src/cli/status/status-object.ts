import type { InFlight } from '../../rules/verdict.ts';
import { showTime } from '../../text/when.ts';
import type { Lock } from '../releases/locks.ts';
import type { ReleaseView } from '../releases/release-view.ts';

/** null: the user may not read it. Absent things are left out. */
const lockObject = ({ kind, sources, reason, by, untilMs, range }: Lock): object => ({
  type: kind,
  ...(reason !== undefined && { reason }),
  ...(by !== undefined && { by }),
  ...(untilMs !== undefined && { until: showTime(untilMs) }),
  ...(range !== undefined && { range }),
  sources: sources.map(({ kind, namespace, name }) => ({ kind, ...(namespace !== '' && { namespace }), name })),
});

const operationObject = (state: string, { operation, revision, holder, sinceMs, staleAtMs }: InFlight): object => ({
  state,
  type: operation,
  revision,
  holder: holder ?? null,
  since: showTime(sinceMs),
  staleAt: showTime(staleAtMs),
});

/** The output of `-o json` and `-o yaml`. */
export const statusObject = ({
  release,
  newest,
  chart,
  locks,
  operation,
  policy,
  isDrifted,
  ...view
}: ReleaseView): object => ({
  apiVersion: 'belay.dev/v1alpha1',
  kind: 'ReleaseStatus',
  metadata: { name: release.name, namespace: release.namespace },
  revision: newest.revision,
  status: newest.status,
  updated: showTime(newest.updatedAtMs),
  storage: newest.kind,
  chart: chart === undefined ? null : { name: chart.name, version: chart.version },
  deployedRevision: view.deployed?.revision ?? null,
  ...(isDrifted !== false && { drift: isDrifted ? 'detected' : null }),
  locks: locks.map(lockObject),
  ...(operation.state === 'in-flight' && { operation: operationObject('in-flight', operation.inFlight) }),
  ...(operation.state === 'dead' && { operation: operationObject(operation.reason, operation.was) }),
  policy: policy === undefined ? null : { name: policy.name ?? '', priority: policy.priority },
});
