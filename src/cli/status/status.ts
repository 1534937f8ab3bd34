import { showName } from '../../text/escape.ts';
import { openCluster } from '../access/cluster-access.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import { EXIT, toFailure } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { type Format, printObjects } from '../output/machine.ts';
import { note, sayFailure } from '../output/say.ts';
import { type Cell, layOut } from '../output/table.ts';
import { createChartReader } from '../releases/charts.ts';
import { type FoundReleases, findReleases, notFound } from '../releases/find-releases.ts';
import type { ReleaseView } from '../releases/release-view.ts';
import { statusObject } from './status-object.ts';
import { statusHeads, statusRow } from './status-rows.ts';
import { watchChanges } from './watch-changes.ts';

export interface StatusOptions extends ClusterOptions {
  readonly allNamespaces?: boolean;
  readonly output?: Format;
  readonly watch?: boolean;
  readonly headers: boolean;
}

const print = async (views: readonly ReleaseView[], isAlone: boolean, options: StatusOptions): Promise<void> => {
  if (options.output === 'json' || options.output === 'yaml') {
    await printObjects(options.output, views.map(statusObject), isAlone);
  } else if (options.output === 'name') {
    for (const { release } of views) process.stdout.write(`release/${showName(release.name)}\n`);
  } else if (views.length > 0) {
    const rowOptions = rowOptionsOf(options);
    const rows = [
      ...(options.headers ? [statusHeads(rowOptions)] : []),
      ...views.map((view) => statusRow(view, rowOptions)),
    ];
    process.stdout.write(`${layOut(rows).lines.join('\n')}\n`);
  }
};

const rowOptionsOf = ({ output, allNamespaces }: StatusOptions) => ({
  wide: output === 'wide',
  allNamespaces: allNamespaces === true,
  nowMs: Date.now(),
});

/** The content of a row, without the times that change by themselves. */
const essenceOf = ({ release, records, chart, locks, operation, policy, isDrifted }: ReleaseView): string =>
  JSON.stringify([
    release,
    records.map(({ kind, revision, status }) => [kind, revision, status]),
    chart,
    locks,
    operation.state,
    operation.state === 'idle' ? null : operation.state === 'dead' ? operation.was.holder : operation.inFlight.holder,
    policy?.name,
    isDrifted === true,
  ]);

/** Prints the table, and then a line for each change of a release, as `kubectl get --watch` does. */
const watch = async (
  once: () => Promise<FoundReleases>,
  changes: AsyncIterable<undefined>,
  options: StatusOptions,
): Promise<void> => {
  const known = new Map<string, string>();
  let widths: readonly number[] = [];
  const show = async ({ views }: FoundReleases, isFirst: boolean): Promise<void> => {
    const fresh = views.filter((view) => known.get(keyOf(view)) !== essenceOf(view));
    const here = new Set(views.map(keyOf));
    for (const key of [...known.keys()]) if (!here.has(key)) known.delete(key);
    for (const view of fresh) known.set(keyOf(view), essenceOf(view));
    if (fresh.length === 0) return;
    if (options.output !== undefined && options.output !== 'wide') {
      for (const view of fresh) await print([view], true, options);
      return;
    }
    const rowOptions = rowOptionsOf(options);
    const rows: (readonly Cell[])[] = fresh.map((view) => statusRow(view, rowOptions));
    if (isFirst && options.headers) rows.unshift(statusHeads(rowOptions));
    const laidOut = layOut(rows, widths);
    widths = laidOut.widths;
    process.stdout.write(`${laidOut.lines.join('\n')}\n`);
  };
  await show(await once(), true);
  for await (const _change of changes) {
    try {
      await show(await once(), known.size === 0 && widths.length === 0);
    } catch (error) {
      const failure = toFailure(error);
      // The API server may be back in a moment. Meanwhile the user sees the failure.
      if (failure.exitCode !== EXIT.unreachable) throw failure;
      sayFailure(failure);
    }
  }
};

const keyOf = ({ release }: ReleaseView): string => `${release.namespace}/${release.name}`;

/** `belay status`. */
export const status = async (
  names: readonly string[],
  options: StatusOptions,
  invocation: Invocation,
): Promise<void> => {
  const { api, namespace } = await openCluster(options, invocation);
  const scope = { namespace: options.allNamespaces ? undefined : namespace, names: [...new Set(names)] };
  const charts = createChartReader(api);
  const isNames = options.output === 'name';
  const once = (): Promise<FoundReleases> =>
    findReleases(api, scope, { charts, withCharts: !isNames, withDrift: !isNames });
  if (options.watch) {
    const stop = new AbortController();
    process.once('SIGINT', () => process.exit(130));
    await watch(once, watchChanges(api, scope.namespace, stop.signal), options);
    return;
  }
  const seen = await once();
  await print(seen.views, names.length === 1, options);
  for (const name of seen.missing) sayFailure(notFound(name, scope.namespace));
  if (seen.missing.length > 0) process.exitCode = EXIT.failed;
  else if (seen.views.length === 0 && options.output !== 'json' && options.output !== 'yaml')
    note(scope.namespace === undefined ? 'No releases found.' : `No releases found in ${scope.namespace} namespace.`);
};
