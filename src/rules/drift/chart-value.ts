import { isQuantityField, isSameQuantity } from './amount.ts';
import { isList, isMap, MAX_RECURSION, own } from './json.ts';

/** Whether the chart sets a field in this value. Null sets none, and neither do `{}` and `[]`. */
export const setsAnything = (chart: unknown, depth = 0): boolean => {
  if (chart === undefined || chart === null) return false;
  if (depth >= MAX_RECURSION) return true;
  if (isList(chart)) return chart.length > 0;
  return isMap(chart) ? Object.values(chart).some((child) => setsAnything(child, depth + 1)) : true;
};

/**
 * Whether a live value holds the chart's value, as the API server writes it: it rewrites quantities, leaves out zero values and adds
 * defaults to maps. Lists are compared item by item. `parent` and `key` are the last two names of the path; the
 * schema of a built-in kind says which fields are quantities.
 */
export const hasChartValue = (
  chart: unknown,
  live: unknown,
  parent: string,
  key: string,
  isBuiltIn: boolean,
  depth = 0,
): boolean => {
  if (chart === live || chart === undefined || chart === null) return true;
  if (depth >= MAX_RECURSION) return false;
  if (isMap(chart)) {
    if (live !== undefined && !isMap(live)) return false;
    return Object.keys(chart).every((child) =>
      hasChartValue(
        own(chart, child),
        live === undefined ? undefined : own(live, child),
        key,
        child,
        isBuiltIn,
        depth + 1,
      ),
    );
  }
  if (isList(chart)) {
    if (chart.length === 0) return live === undefined || isList(live);
    if (!isList(live) || live.length !== chart.length) return false;
    return chart.every((item, index) => hasChartValue(item, live[index], parent, key, isBuiltIn, depth + 1));
  }
  if (live === undefined || live === null) return chart === false || chart === 0 || chart === '';
  if (typeof live === 'object') return false;
  return String(chart) === String(live) || (isQuantityField(parent, key, isBuiltIn) && isSameQuantity(chart, live));
};

/** Whether a change brings back the chart's value after it was lost. */
export const isRestored = (
  chart: unknown,
  before: unknown,
  after: unknown,
  parent: string,
  key: string,
  isBuiltIn: boolean,
): boolean => {
  if (chart === undefined || chart === null) return false;
  const wasThere = typeof chart === 'object' ? hasChartValue(chart, before, parent, key, isBuiltIn) : chart === before;
  return !wasThere && hasChartValue(chart, after, parent, key, isBuiltIn);
};
