import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { changedChartFields } from './chart-fields.ts';
import { carriersOf, type Moment, newestOf, type Promised, type ReleaseView } from './moment.ts';
import { keyOf, type StoredRevision } from './stored.ts';

const GARBAGE_COLLECTOR = 'system:serviceaccount:kube-system:generic-garbage-collector';

const documents = new Map<string, readonly KubernetesObject[]>();

const documentsOf = ({ payload: { manifest } }: StoredRevision): readonly KubernetesObject[] => {
  const known = documents.get(manifest);
  if (known !== undefined) return known;
  const read = parseAllDocuments(manifest).map((document) => document.toJS() as KubernetesObject);
  documents.set(manifest, read);
  return read;
};

/** The revision that runs: the deployed one, or the one that ran before a rollback that failed. */
const runningIn = (view: ReleaseView): StoredRevision | undefined => {
  const deployed = view.revisions.findLast(({ status }) => status === 'deployed');
  if (deployed !== undefined || newestOf(view)?.status !== 'failed') return deployed;
  return view.revisions.findLast(({ status }) => status === 'superseded');
};

/** The revisions of which one may be the chart that an object is held to. Each promise holds by the one that asks least. */
const chartsOf = ({ before }: Moment): readonly StoredRevision[] => {
  const charts = [runningIn(before), before.operation?.mayBeAlive === true ? before.operation.record : undefined];
  const found = charts.filter((chart) => chart !== undefined);
  const newest = newestOf(before);
  return found.length === 0 && before.isFrozen && newest !== undefined ? [newest] : found;
};

const isMarked = (object: KubernetesObject, release: string, namespace: string): boolean =>
  object.metadata?.annotations?.['meta.helm.sh/release-name'] === release &&
  object.metadata.annotations['meta.helm.sh/release-namespace'] === namespace;

const hasNewOwner = (before: KubernetesObject, after: KubernetesObject): boolean => {
  const uids = ({ metadata }: KubernetesObject): readonly string[] =>
    ((metadata?.ownerReferences ?? []) as readonly { readonly uid: string }[]).map(({ uid }) => uid);
  return uids(after).some((uid) => !uids(before).includes(uid));
};

/** What a write does to an object of the release, as far as nobody may do it; undefined where it does nothing of the kind. */
const harmTo = ({ change, release, before: view }: Moment, chart: StoredRevision): string | undefined => {
  const { resource, before, after } = change;
  const { kind } = resource;
  const { name = '', namespace = '' } = (before ?? after)?.metadata ?? {};
  const document = documentsOf(chart).find((each) => each.kind === kind && each.metadata?.name === name);
  if (document === undefined) return undefined;
  const what = `${kind} ${name}`;
  if (before === undefined) return isMarked(after ?? {}, release, namespace) ? `${what} was created` : undefined;
  if (!isMarked(before, release, namespace)) return undefined;
  if (after === undefined) return `${what} is gone`;
  if (after.metadata?.deletionTimestamp !== before.metadata?.deletionTimestamp) return `${what} is being deleted`;
  if (!isMarked(after, release, namespace)) return `${what} belongs to the release no more`;
  if (view.isFrozen && hasNewOwner(before, after)) return `${what} has another owner`;
  const fields = changedChartFields(document, before, after);
  return fields.length === 0 ? undefined : `${what} has another ${fields.join(', ')}`;
};

const isRecord = ({ change: { before, after }, before: view }: Moment): boolean => {
  const { name = '', namespace = '' } = (before ?? after)?.metadata ?? {};
  const key = keyOf((before ?? after)?.kind ?? '', namespace, name);
  return view.revisions.some((record) => record.key === key);
};

const isOpen = (moment: Moment): boolean =>
  carriersOf(moment.before).some((each) => Date.parse(each['belay.dev/open-until'] ?? '') > moment.nowMs);

/** Whether the writer is the one whose operation it is. Of a frozen release a dead operation writes nothing any more. */
const isOwnOperation = ({ change: { username }, before }: Moment): boolean => {
  const { operation, isFrozen } = before;
  if (operation === undefined) return false;
  return (operation.by ?? username) === username && (!isFrozen || operation.mayBeAlive);
};

/** While a release is frozen nothing of its chart changes; and at any other time by its own operation alone. */
export const promisedObjects: Promised = (moment) => {
  const { change, before, rules } = moment;
  if (change.resource.kind === 'Namespace') return [];
  const isGuarded = before.isFrozen || (rules.drift && !isOpen(moment));
  if (!rules.operations || !isGuarded || isOwnOperation(moment) || isRecord(moment)) return [];
  if (change.username === GARBAGE_COLLECTOR || before.namespace?.metadata?.deletionTimestamp !== undefined) return [];
  // One that is missing may be brought back while the release is not frozen.
  if (change.before === undefined && !before.isFrozen) return [];
  const charts = chartsOf(moment);
  const harms = charts.map((chart) => harmTo(moment, chart));
  const [first] = harms;
  if (first === undefined || harms.includes(undefined)) return [];
  return [`${first}, although the release ${before.isFrozen ? 'is frozen' : 'is guarded'}`];
};
