import { recordPath, recordsPath } from '../../facts/release-reader.ts';
import type { RecordKind } from '../../helm/names.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import { type Api, METADATA_ONLY } from '../../kubernetes/api.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { recordsOfStorage } from '../../rules/storage-kind.ts';
import { showName } from '../../text/escape.ts';
import { openCluster } from '../access/cluster-access.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import { isGuarded } from '../annotate/annotate.ts';
import type { Invocation } from '../invocation.ts';
import { warn } from '../output/say.ts';
import { chartOf, fetchRecord } from '../releases/charts.ts';
import { notFound } from '../releases/find-releases.ts';
import { newestIn } from '../releases/release-view.ts';
import { listRecords } from '../releases/snapshot.ts';
import { newRecord, uninstallingRecord } from './dry-record.ts';
import { chartFor, type OperationRequest, type Plan, planOperation, refuseAsHelm } from './plan.ts';

const DRY_RUN = { dryRun: 'All' };

/** The storage of a release that has no records yet, by Helm's own environment variable. https://helm.sh/docs/topics/advanced/#storage-backends */
const storageWanted = (env: Readonly<Record<string, string | undefined>>): RecordKind =>
  /^configmaps?$/.test(env.HELM_DRIVER ?? '') ? 'ConfigMap' : 'Secret';

interface Attempt {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly body: KubernetesObject;
  /** `to revision 4, chart shop-1.2.3` */
  readonly to: string;
}

const attemptOf = async (
  api: Api,
  request: OperationRequest,
  plan: Plan,
  namespace: string,
  newest: ReleaseRecord | undefined,
): Promise<Attempt> => {
  if (plan.writes === 'uninstalling') {
    const { object, payload } = await fetchRecord(api, plan.record);
    const body = uninstallingRecord(object, payload, plan.record);
    return { method: 'PUT', path: recordPath(plan.record), body, to: `of revision ${plan.record.revision}` };
  }
  const stored = plan.chartOf === undefined ? undefined : (await fetchRecord(api, plan.chartOf)).payload;
  const chart = chartFor(request, stored && chartOf(stored));
  const kind = newest?.kind ?? storageWanted(process.env);
  const body = newRecord({
    release: { namespace, name: request.name },
    kind,
    revision: plan.revision,
    status: `pending-${request.operation === 'uninstall' ? 'upgrade' : request.operation}`,
    chart,
    namespace: typeof stored?.namespace === 'string' && stored.namespace !== '' ? stored.namespace : namespace,
  });
  return {
    method: 'POST',
    path: recordsPath(kind, namespace),
    body,
    to: `to revision ${plan.revision}, chart ${showName(`${chart.name}-${chart.version}`)}`,
  };
};

/**
 * `belay check`: sends the first write of the operation as a dry run. The API server asks Belay as for the real write, and stores nothing.
 * Rejects with Belay's refusal.
 */
export const check = async (
  request: OperationRequest,
  options: ClusterOptions,
  invocation: Invocation,
): Promise<void> => {
  const { api, namespace } = await openCluster(options, invocation);
  const listed = await listRecords(api, { namespace, names: [request.name] });
  const records = recordsOfStorage(
    listed.filter(({ release }) => release === request.name),
    undefined,
  );
  const newest = newestIn(records);
  if (newest === undefined && request.operation !== 'install') throw notFound(request.name, namespace);
  const plan = planOperation(request, records, newest);
  const { method, path, body, to } = await attemptOf(api, request, plan, namespace, newest);
  await api.request({ method, path, query: DRY_RUN, body, accept: METADATA_ONLY });
  refuseAsHelm(request, newest);
  process.stdout.write(`release/${showName(request.name)} ${request.operation} ${to}: would pass (server dry run)\n`);
  if (newest !== undefined && !(await isGuarded(api, recordPath(newest))))
    warn(`Belay does not guard namespace ${showName(namespace)}: everything passes there`);
};
