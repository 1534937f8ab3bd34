import type { KubernetesObject } from '../kubernetes/object.ts';
import { descend, type IgnoreState, ignoredPaths, isIgnored } from '../rules/drift/ignored-paths.ts';
import { isList, isMap, type JsonMap, MAX_RECURSION, own } from '../rules/drift/json.ts';
import { isRaisedFailurePolicy, isWebhooks } from './own-doing.ts';

interface Place {
  readonly key: string;
  readonly depth: number;
  readonly inWebhooks: boolean;
}

const below = ({ depth, inWebhooks }: Place, key: string): Place => ({ key, depth: depth + 1, inWebhooks });

/** The live item for an item of the chart: by name, else by its place in a list of the same length. */
const itemFor = (item: unknown, index: number, chart: readonly unknown[], live: readonly unknown[]): unknown => {
  const name = isMap(item) ? own(item, 'name') : undefined;
  if (typeof name === 'string') {
    const named = live.filter((one) => isMap(one) && own(one, 'name') === name);
    if (named.length === 1) return named[0];
  }
  return chart.length === live.length ? live[index] : undefined;
};

const keep = (chart: unknown, live: unknown, state: IgnoreState, place: Place): unknown => {
  if (isIgnored(state) || (place.inWebhooks && isRaisedFailurePolicy(place.key, chart, live))) return live;
  if (place.depth >= MAX_RECURSION) return chart;
  if (isMap(chart) && isMap(live)) {
    const kept = Object.entries(chart).map(([key, value]) => [
      key,
      keep(value, own(live, key), descend(state, key), below(place, key)),
    ]);
    return Object.fromEntries(kept.filter(([, value]) => value !== undefined));
  }
  if (isList(chart) && isList(live)) {
    return chart.map((item, index) => {
      const found = itemFor(item, index, chart, live);
      return found === undefined ? item : keep(item, found, descend(state, String(index)), below(place, String(index)));
    });
  }
  return chart;
};

/**
 * The chart's document with the live values of what is left to others: a repair writes the whole document, and must not scale an autoscaler's
 * workload on the way.
 */
export const keepLeft = (
  document: KubernetesObject,
  live: KubernetesObject,
  group: string,
  left: readonly string[],
): KubernetesObject => {
  const { metadata, ...rest } = document as JsonMap;
  const state = ignoredPaths(group, document.kind ?? '', document, live, { ignore: left });
  const root: Place = { key: '', depth: 0, inWebhooks: isWebhooks(document.kind) };
  return {
    ...(keep(rest, live, state, root) as JsonMap),
    metadata: keep(metadata, live.metadata, descend(state, 'metadata'), below(root, 'metadata')),
  } as KubernetesObject;
};
