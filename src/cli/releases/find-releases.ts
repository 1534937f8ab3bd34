import type { Api } from '../../kubernetes/api.ts';
import type { NamespaceFacts } from '../../rules/locks.ts';
import { Failure } from '../failure.ts';
import { type ChartReader, createChartReader, type Stored } from './charts.ts';
import { groupByRelease, newestIn, type ReleaseView, viewReleases } from './release-view.ts';
import { readNamespace, readSnapshot, type Scope, type Snapshot } from './snapshot.ts';

export const notFound = (name: string, namespace: string | undefined): Failure =>
  new Failure(
    `release ${JSON.stringify(name)} not found in ${namespace === undefined ? 'any namespace' : `namespace ${JSON.stringify(namespace)}`}`,
  );

export interface FoundReleases {
  readonly views: readonly ReleaseView[];
  readonly snapshot: Snapshot;
  /** The named releases that do not exist. */
  readonly missing: readonly string[];
}

/** Reads the namespaces of objects whose records are in another namespace, as Flux may keep them. */
const readHomes = async (
  api: Api,
  snapshot: Snapshot,
  stored: ReadonlyMap<string, Stored>,
): Promise<ReadonlyMap<string, NamespaceFacts | undefined>> => {
  const names = new Set([...stored.values()].map(({ namespace }) => namespace));
  const unread = [...names].filter((name) => snapshot.namespace(name) === undefined);
  const isOwn = (name: string): boolean => snapshot.records.some(({ namespace }) => namespace === name);
  const homes = unread.filter((name) => !isOwn(name));
  return new Map(await Promise.all(homes.map(async (name) => [name, await readNamespace(api, name)] as const)));
};

export interface FindOptions {
  readonly charts?: ChartReader;
  /** false: no payload is fetched. */
  readonly withCharts?: boolean;
  /** Whether the Events of the sweep are read. */
  readonly withDrift?: boolean;
}

/** Reads the releases of a scope once. */
export const findReleases = async (
  api: Api,
  scope: Scope,
  { charts = createChartReader(api), withCharts = true, withDrift = false }: FindOptions = {},
): Promise<FoundReleases> => {
  const snapshot = await readSnapshot(api, scope, { withDrift });
  const newest = groupByRelease(snapshot.records).flatMap((records) => newestIn(records) ?? []);
  const stored = withCharts ? await charts.read(newest) : new Map<string, Stored>();
  const homes = await readHomes(api, snapshot, stored);
  const views = viewReleases(snapshot, stored, Date.now(), homes);
  const missing = scope.names.filter((name) => !views.some(({ release }) => release.name === name));
  return { views, snapshot, missing };
};

/** Reads one release. Throws when it does not exist. */
export const findRelease = async (
  api: Api,
  namespace: string,
  name: string,
): Promise<{ readonly view: ReleaseView; readonly snapshot: Snapshot }> => {
  const { views, snapshot } = await findReleases(api, { namespace, names: [name] });
  const [view] = views;
  if (view === undefined) throw notFound(name, namespace);
  return { view, snapshot };
};
