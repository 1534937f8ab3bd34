import type { RecordKind } from '../../helm/names.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import { type Api, METADATA_ONLY, pathOf } from '../../kubernetes/api.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { showName } from '../../text/escape.ts';
import { openCluster } from '../access/cluster-access.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import { isGuarded } from '../annotate/annotate.ts';
import type { Invocation } from '../invocation.ts';
import { warn } from '../output/say.ts';
import { chartOf, fetchRecord, recordPath } from '../releases/charts.ts';
import { notFound } from '../releases/look.ts';
import { newestIn } from '../releases/release-view.ts';
import { listRecords } from '../releases/snapshot.ts';
import { newRecord, uninstallingRecord } from './dry-record.ts';
import { chartFor, type Plan, planOperation, refuseAsHelm, type Wish } from './plan.ts';

const DRY_RUN = { dryRun: 'All' };

const resourceOf = (kind: RecordKind): string => (kind === 'Secret' ? 'secrets' : 'configmaps');

/** Helm's own word for where it keeps records, for a release that has none yet. https://helm.sh/docs/topics/advanced/#storage-backends */
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
  wish: Wish,
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
  const chart = chartFor(wish, stored && chartOf(stored));
  const kind = newest?.kind ?? storageWanted(process.env);
  const body = newRecord({
    release: { namespace, name: wish.name },
    kind,
    revision: plan.revision,
    status: `pending-${wish.operation === 'uninstall' ? 'upgrade' : wish.operation}`,
    chart,
    namespace: typeof stored?.namespace === 'string' && stored.namespace !== '' ? stored.namespace : namespace,
  });
  return {
    method: 'POST',
    path: pathOf('api', 'v1', 'namespaces', namespace, resourceOf(kind)),
    body,
    to: `to revision ${plan.revision}, chart ${showName(`${chart.name}-${chart.version}`)}`,
  };
};

/**
 * `belay check`: sends the write with which the operation would begin, as a dry run. The API server asks Belay as it would for the real
 * one, and nothing is stored. Rejects with what Belay says where it refuses.
 */
export const check = async (wish: Wish, options: ClusterOptions, invocation: Invocation): Promise<void> => {
  const { api, namespace } = await openCluster(options, invocation);
  const records = (await listRecords(api, { namespace, names: [wish.name] })).filter(
    ({ release }) => release === wish.name,
  );
  const newest = newestIn(records);
  if (newest === undefined && wish.operation !== 'install') throw notFound(wish.name, namespace);
  const plan = planOperation(wish, records, newest);
  const { method, path, body, to } = await attemptOf(api, wish, plan, namespace, newest);
  await api.request({ method, path, query: DRY_RUN, body, accept: METADATA_ONLY });
  refuseAsHelm(wish, newest);
  process.stdout.write(`release/${showName(wish.name)} ${wish.operation} ${to}: would pass (server dry run)\n`);
  if (newest !== undefined && !(await isGuarded(api, recordPath(newest))))
    warn(`Belay does not guard namespace ${showName(namespace)}: everything passes there`);
};
