import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../memory/fields.ts';

/** The keys by which Kubernetes tells the items of the shop chart's lists apart. */
const ITEM_KEYS = ['name', 'containerPort', 'port'] as const;

const counterpart = (items: unknown, item: unknown, index: number): unknown => {
  if (!Array.isArray(items)) return undefined;
  const key = ITEM_KEYS.find((each) => isObject(item) && item[each] !== undefined);
  if (key === undefined || !isObject(item)) return items[index] as unknown;
  return items.find((other: unknown) => isObject(other) && other[key] === item[key]) as unknown;
};

/** The fields that the chart sets, and that a write makes something else than they were and than the chart says. */
export const changedChartFields = (chart: unknown, before: unknown, after: unknown, path = ''): readonly string[] => {
  if (isDeepStrictEqual(before, after) || isDeepStrictEqual(after, chart)) return [];
  if (isObject(chart) && isObject(after)) {
    const old = isObject(before) ? before : {};
    return Object.keys(chart).flatMap((key) => changedChartFields(chart[key], old[key], after[key], `${path}/${key}`));
  }
  if (Array.isArray(chart) && Array.isArray(after)) {
    return chart.flatMap((item: unknown, index) =>
      changedChartFields(item, counterpart(before, item, index), counterpart(after, item, index), `${path}/${index}`),
    );
  }
  return [path];
};
