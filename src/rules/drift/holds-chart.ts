import { hasChartValue } from './chart-value.ts';
import { descend, descendItem, type IgnoreState, isIgnored } from './ignored-paths.ts';
import { isList, isMap, MAX_RECURSION, own } from './json.ts';

/** One field, in the chart and in a new object. `parent` and `key` are the last two names of its path. */
interface Place {
  readonly chart: unknown;
  readonly live: unknown;
  readonly parent: string;
  readonly key: string;
  readonly ignore: IgnoreState;
  readonly depth: number;
}

/** Items of a list that are looked for in any order. The lists that have keys are those of containers, ports, variables: some dozen items. */
const MAX_UNORDERED = 100;

/**
 * Fields that are compared. The largest objects of public charts, definitions, have some 70,000 fields, and each is compared once where the lists have
 * kept their order. Lists within lists in other orders multiply: where this many do not suffice, the answer is no. They take some 50 ms.
 */
const MAX_COMPARED = 500_000;

/**
 * Whether an object holds each field that the chart sets, with the chart's value. It may hold more, items of lists too: whether those may be there,
 * `findDrift` tells.
 */
export const holdsChart = (chart: unknown, live: unknown, ignore: IgnoreState, isBuiltIn: boolean): boolean => {
  let compared = 0;
  const holds = (place: Place): boolean => {
    const { depth } = place;
    if (isIgnored(place.ignore)) return true;
    if (depth >= MAX_RECURSION || ++compared > MAX_COMPARED) return false;
    if (isMap(place.chart) && (isMap(place.live) || place.live === undefined)) {
      const { chart, live, key, ignore } = place;
      return Object.keys(chart).every((name) =>
        holds({
          chart: own(chart, name),
          live: live === undefined ? undefined : own(live, name),
          parent: key,
          key: name,
          ignore: descend(ignore, name),
          depth: depth + 1,
        }),
      );
    }
    if (isList(place.chart) && isList(place.live)) return holdsItems(place, place.chart, place.live);
    return hasChartValue(place.chart, place.live, place.parent, place.key, isBuiltIn);
  };

  const holdsItems = (place: Place, chart: readonly unknown[], live: readonly unknown[]): boolean => {
    const holdsItem = (index: number, item: unknown): boolean =>
      holds({
        ...place,
        chart: chart[index],
        live: item,
        ignore: place.ignore && descendItem(place.ignore, index),
        depth: place.depth + 1,
      });
    let found = 0;
    for (const item of live) {
      if (found === chart.length || compared > MAX_COMPARED) break;
      if (holdsItem(found, item)) found++;
    }
    if (found === chart.length) return true;
    if (compared > MAX_COMPARED || chart.length > MAX_UNORDERED || live.length > MAX_UNORDERED) return false;
    const left = [...live];
    return chart.every((_, index) => {
      const at = left.findIndex((item) => holdsItem(index, item));
      if (at >= 0) left.splice(at, 1);
      return at >= 0;
    });
  };

  return holds({ chart, live, parent: '', key: '', ignore, depth: 0 });
};
