import { hasChartValue } from './chart-value.ts';
import { holdsNothingElse } from './holds-nothing-else.ts';
import { isList, isMap, type JsonMap, MAX_RECURSION, own } from './json.ts';

/** One field, in the chart and in the live object. */
interface Field {
  readonly chart: unknown;
  readonly live: unknown;
  /** The last two names of its path. */
  readonly parent: string;
  readonly key: string;
  readonly depth: number;
  /** Whether the kind is one of Kubernetes' own, whose defaults are known. */
  readonly isBuiltIn: boolean;
}

const below = (place: Field, key: string): Field => ({
  ...place,
  chart: isMap(place.chart) ? own(place.chart, key) : undefined,
  live: isMap(place.live) ? own(place.live, key) : undefined,
  parent: place.key,
  key,
  depth: place.depth + 1,
});

const isSet = (value: unknown): boolean => value !== undefined && value !== null;

/**
 * Whether an entry of `managedFields` holds exactly the fields that the chart sets, and the live object has the chart's values in them. False
 * in doubt.
 * Format: sigs.k8s.io/structured-merge-diff `fieldpath.PathElement`.
 */
export const isExactlyOwned = (fields: JsonMap, chart: JsonMap, live: JsonMap, isBuiltIn: boolean): boolean =>
  isOwnedAt(fields, { chart, live, parent: '', key: '', depth: 0, isBuiltIn });

const isOwnedAt = (fields: unknown, place: Field): boolean => {
  const { chart, live, depth } = place;
  if (!isMap(fields) || !isSet(chart) || depth >= MAX_RECURSION) return false;
  const elements = Object.keys(fields).filter((element) => element !== '.');
  // A leaf is a scalar, a list or map that the API server takes as one value, or an empty list or map.
  if (elements.length === 0 && !Object.hasOwn(fields, '.')) return isExactly(place);
  if (isMap(chart) && isMap(live)) {
    const names = Object.keys(chart).filter((name) => isSet(chart[name]));
    return (
      elements.length === names.length && names.every((name) => isOwnedAt(own(fields, `f:${name}`), below(place, name)))
    );
  }
  // The lengths are compared first, so that only the chart bounds the time that the rest takes.
  if (!isList(chart) || !isList(live) || elements.length !== chart.length || live.length !== chart.length) return false;
  const found = new Set<unknown>();
  return elements.every((element) => {
    const [item, now] = [onlyItem(element, chart), onlyItem(element, live)];
    if (item === undefined || now === undefined || found.has(item)) return false;
    found.add(item);
    if (element.startsWith('v:')) return true;
    return isOwnedAt(own(fields, element), { ...place, chart: item, live: now, depth: depth + 1 });
  });
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The only item that `v:"x"` or `k:{"containerPort":80,"protocol":"TCP"}` names. A chart may leave out the protocol, which is then TCP. */
const onlyItem = (element: string, list: readonly unknown[]): unknown => {
  const named = parsed(element.slice(2));
  const isNamed = (item: unknown): boolean => {
    if (element.startsWith('v:')) return typeof item !== 'object' && item === named;
    if (!element.startsWith('k:') || !isMap(named) || !isMap(item)) return false;
    return Object.entries(named).every(([name, value]) => {
      const set = own(item, name) ?? (name === 'protocol' ? 'TCP' : undefined);
      return isSet(set) && typeof set !== 'object' && String(set) === String(value);
    });
  };
  const found = list.filter(isNamed);
  return found.length === 1 ? found[0] : undefined;
};

/** Whether the live value is the chart's value and holds nothing else, apart from defaults. */
const isExactly = ({ chart, live, parent, key, isBuiltIn }: Field): boolean =>
  hasChartValue(chart, live, parent, key, isBuiltIn) && holdsNothingElse(chart, live, parent, key, isBuiltIn);
