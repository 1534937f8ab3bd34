import type { ListItem } from './field-path.ts';
import { isMap, type JsonMap, own } from './json.ts';
import type { ManagedList } from './managed-lists.ts';

/** One item, in the old list, the new list and the chart's list. */
export interface ListPair extends ListItem {
  readonly chart: unknown;
  readonly before: unknown;
  readonly after: unknown;
  readonly chartIndex: number | undefined;
}

type List = readonly unknown[];

/** Pairs the items of the lists: the old ones in order, then the added ones. Undefined when items cannot be identified. */
export const pairLists = (
  managed: ManagedList,
  chart: List | undefined,
  before: List,
  after: List,
): readonly ListPair[] | undefined => {
  const listed = chart ?? [];
  const asManaged =
    managed === undefined
      ? undefined
      : managed === 'set'
        ? pairByValue(listed, before, after)
        : pairByKeys([...managed.keys].sort(), true, listed, before, after);
  return asManaged ?? pairByKeys(['name'], false, listed, before, after);
};

const pairByValue = (chart: List, before: List, after: List): readonly ListPair[] | undefined => {
  const identify = (item: unknown): string | undefined =>
    typeof item === 'object' ? undefined : `${typeof item}:${item}`;
  return join(
    indexBy(chart, identify),
    indexBy(before, identify),
    indexBy(after, identify),
    { chart, before, after },
    (item) => ({ label: String(item), managedKey: undefined }),
  );
};

const pairByKeys = (
  names: readonly string[],
  isManaged: boolean,
  chart: List,
  before: List,
  after: List,
): readonly ListPair[] | undefined => {
  // Where an item lacks the keys, the list is not identified by them.
  const identify = (item: unknown): string | undefined => {
    if (!isMap(item) || names.some((name) => typeof own(item, name) === 'object')) return undefined;
    return isManaged || typeof own(item, 'name') === 'string' ? keyText(names, item) : undefined;
  };
  const old = indexBy(before, identify);
  const now = indexBy(after, identify);
  if (old === undefined || now === undefined) return undefined;
  return join(indexChart(names, isManaged, chart, before, after), old, now, { chart, before, after }, (item) => ({
    label: labelOf(names, item as JsonMap),
    managedKey: isManaged ? managedKeyOf(names, item as JsonMap) : undefined,
  }));
};

/**
 * The places of the chart's items. A chart may leave out a part of the key that has a default. For `protocol` that is TCP; for any other
 * part, the chart's item means the only live item that matches the rest of the key.
 */
const indexChart = (
  names: readonly string[],
  isManaged: boolean,
  chart: List,
  before: List,
  after: List,
): ReadonlyMap<string, number> | undefined => {
  const hasProtocol = names.includes('protocol');
  const byPart = new Map<string, ReadonlyMap<string, string | undefined>>();
  return indexBy(chart, (item) => {
    if (!isMap(item) || names.some((name) => typeof own(item, name) === 'object')) return undefined;
    const full = hasProtocol && own(item, 'protocol') === undefined ? { ...item, protocol: 'TCP' } : item;
    const set = names.filter((name) => own(full, name) !== undefined);
    if (set.length === names.length) return keyText(names, full);
    if (!isManaged) return undefined;
    const part = set.join(' ');
    let wholes = byPart.get(part);
    if (wholes === undefined) {
      wholes = wholeKeys(set, names, [before, after]);
      byPart.set(part, wholes);
    }
    const key = keyText(set, full);
    return wholes.has(key) ? wholes.get(key) : keyText(names, full);
  });
};

/** Maps each partial key to the whole key of the only live item that matches; to undefined when several match. */
const wholeKeys = (
  set: readonly string[],
  names: readonly string[],
  lists: readonly List[],
): ReadonlyMap<string, string | undefined> => {
  const wholes = new Map<string, string | undefined>();
  for (const item of lists.flat(1)) {
    const part = keyText(set, item as JsonMap);
    const whole = keyText(names, item as JsonMap);
    wholes.set(part, wholes.has(part) && wholes.get(part) !== whole ? undefined : whole);
  }
  return wholes;
};

/** The index of each item by its identity; undefined when an item has no identity, or two have the same. */
const indexBy = (
  list: List,
  identify: (item: unknown) => string | undefined,
): ReadonlyMap<string, number> | undefined => {
  const places = new Map<string, number>();
  for (const [index, item] of list.entries()) {
    const identity = identify(item);
    if (identity === undefined || places.has(identity)) return undefined;
    places.set(identity, index);
  }
  return places;
};

const join = (
  chartPlaces: ReadonlyMap<string, number> | undefined,
  oldPlaces: ReadonlyMap<string, number> | undefined,
  newPlaces: ReadonlyMap<string, number> | undefined,
  { chart, before, after }: { readonly chart: List; readonly before: List; readonly after: List },
  name: (item: unknown) => Pick<ListItem, 'label' | 'managedKey'>,
): readonly ListPair[] | undefined => {
  if (chartPlaces === undefined || oldPlaces === undefined || newPlaces === undefined) return undefined;
  const pairs: ListPair[] = [];
  const add = (identity: string, beforeIndex: number | undefined, afterIndex: number | undefined): void => {
    const chartIndex = chartPlaces.get(identity);
    const [old, now] = [at(before, beforeIndex), at(after, afterIndex)];
    pairs.push({
      ...name(now ?? old),
      chart: at(chart, chartIndex),
      before: old,
      after: now,
      chartIndex,
      beforeIndex,
      afterIndex,
    });
  };
  for (const [identity, index] of oldPlaces) add(identity, index, newPlaces.get(identity));
  for (const [identity, index] of newPlaces) if (!oldPlaces.has(identity)) add(identity, undefined, index);
  return pairs;
};

const at = (list: List, index: number | undefined): unknown => (index === undefined ? undefined : list[index]);

/** The key's values as text, because a port may be `80` in one list and `"80"` in another. */
const keyText = (names: readonly string[], item: JsonMap): string =>
  names.length === 1 ? String(own(item, names[0] ?? '')) : names.map((name) => String(own(item, name))).join('\0');

/** The key's values for people: a port is `80/TCP`. */
const labelOf = (names: readonly string[], item: JsonMap): string => {
  const parts: string[] = [];
  for (const name of names) {
    const value = own(item, name);
    if (value !== undefined) parts.push(String(value));
  }
  return parts.join('/');
};

/** The key as the API server writes it: names in alphabetical order, no spaces. */
const managedKeyOf = (names: readonly string[], item: JsonMap): string => {
  const key: [string, unknown][] = [];
  for (const name of names) {
    const value = own(item, name);
    if (value !== undefined) key.push([name, value]);
  }
  return `k:${JSON.stringify(Object.fromEntries(key))}`;
};
