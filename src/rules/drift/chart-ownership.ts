import { hasChartValue } from './chart-value.ts';
import { isList, isMap, type JsonMap, MAX_RECURSION, own } from './json.ts';

interface Place {
  readonly chart: unknown;
  readonly live: unknown;
  /** The last two names on the way to it. */
  readonly parent: string;
  readonly key: string;
  readonly depth: number;
  /** Whether the kind is Kubernetes' own, whose defaults are known. */
  readonly isBuiltIn: boolean;
}

const below = (place: Place, key: string): Place => ({
  ...place,
  chart: isMap(place.chart) ? own(place.chart, key) : undefined,
  live: isMap(place.live) ? own(place.live, key) : undefined,
  parent: place.key,
  key,
  depth: place.depth + 1,
});

const isSet = (value: unknown): boolean => value !== undefined && value !== null;

/**
 * Whether the fields of an entry of `managedFields` are those that the chart sets, no fewer and no more, and the live object has the
 * chart's values there. What is in doubt is not.
 * Format: sigs.k8s.io/structured-merge-diff `fieldpath.PathElement`.
 */
export const isExactlyOwned = (fields: JsonMap, chart: JsonMap, live: JsonMap, isBuiltIn: boolean): boolean =>
  isOwnedAt(fields, { chart, live, parent: '', key: '', depth: 0, isBuiltIn });

const isOwnedAt = (fields: unknown, place: Place): boolean => {
  const { chart, live, depth } = place;
  if (!isMap(fields) || !isSet(chart) || depth >= MAX_RECURSION) return false;
  const elements = Object.keys(fields).filter((element) => element !== '.');
  // A leaf: a scalar, or a list or map that the API server takes as one value, or an empty one.
  if (elements.length === 0 && !Object.hasOwn(fields, '.')) return isExactly(place);
  if (isMap(chart) && isMap(live)) {
    const names = Object.keys(chart).filter((name) => isSet(chart[name]));
    return (
      elements.length === names.length && names.every((name) => isOwnedAt(own(fields, `f:${name}`), below(place, name)))
    );
  }
  // First the lengths, so that nobody but the chart says how long this takes.
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

/** The one item that `v:"x"` or `k:{"containerPort":80,"protocol":"TCP"}` names. Charts may leave out the protocol, which is TCP then. */
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

/** What the API server fills in inside of lists that it takes as one value: by the last two names on the way there. */
const DEFAULTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['ports protocol', 'TCP'],
  ['serviceAccountToken expirationSeconds', 3600],
  ['spec volumeMode', 'Filesystem'],
  ['volumeClaimTemplates apiVersion', 'v1'],
  ['volumeClaimTemplates kind', 'PersistentVolumeClaim'],
]);

const isDefault = ({ live, parent, key, isBuiltIn }: Place): boolean => {
  if (!isSet(live)) return true;
  if (!isBuiltIn) return false;
  // Of no consequence: there is no claim yet.
  if (parent === 'volumeClaimTemplates' && key === 'status') return true;
  return DEFAULTS.get(`${parent} ${key}`) === live;
};

/** Whether the live value is the chart's, and holds nothing else. */
const isExactly = (place: Place): boolean => {
  const { chart, live, parent, key, depth } = place;
  if (!isSet(chart)) return isDefault(place);
  if (depth >= MAX_RECURSION || !hasChartValue(chart, live, parent, key)) return false;
  if (isMap(live)) return Object.keys(live).every((name) => isExactly(below(place, name)));
  if (!isList(chart) || !isList(live)) return true;
  return live.every((item, index) => isExactly({ ...place, chart: chart[index], live: item, depth: depth + 1 }));
};
