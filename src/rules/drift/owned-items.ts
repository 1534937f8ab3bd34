import { isList, isMap, type JsonMap, own } from './json.ts';

/**
 * Finds what an element of `managedFields` names: `f:replicas` a field, `k:{"name":"web"}` an item of a list by its keys, `v:"x"` an item
 * of a set by its value.
 * Format: sigs.k8s.io/structured-merge-diff `fieldpath.PathElement`.
 */
export type FindElement = (element: string) => { readonly value: unknown; readonly index: number | undefined };

const NOTHING = { value: undefined, index: undefined };

export const parseElement = (element: string): unknown => {
  try {
    return JSON.parse(element.slice(2));
  } catch {
    return undefined;
  }
};

/** The names of the keys of an element such as `k:{"containerPort":80,"protocol":"TCP"}`. */
export const keyNames = (element: string): readonly string[] => {
  const key = element.startsWith('k:') ? parseElement(element) : undefined;
  return isMap(key) ? Object.keys(key).sort() : [];
};

/** A chart may leave out the protocol, which is then TCP. The values are text, because a port may be `80` in one list and `"80"` in another. */
const keyText = (names: readonly string[], item: JsonMap): string =>
  JSON.stringify(names.map((name) => String(own(item, name) ?? (name === 'protocol' ? 'TCP' : ''))));

/** `names` are the keys of the list: a list has the same for all of its items. Each item is looked at once, however many are asked for. */
export const findElements = (value: unknown, names: readonly string[]): FindElement => {
  if (isMap(value)) {
    return (element) =>
      element.startsWith('f:') ? { value: own(value, element.slice(2)), index: undefined } : NOTHING;
  }
  if (!isList(value)) return () => NOTHING;
  let places: ReadonlyMap<string, number> | undefined;
  const indexItems = (): ReadonlyMap<string, number> =>
    new Map(
      value.map((item, index) => [isMap(item) ? `k:${keyText(names, item)}` : `v:${JSON.stringify(item)}`, index]),
    );
  return (element) => {
    places ??= indexItems();
    const named = parseElement(element);
    const key = isMap(named) ? `k:${keyText(names, named)}` : `v:${JSON.stringify(named)}`;
    const index = places.get(key);
    return index === undefined ? NOTHING : { value: value[index], index };
  };
};

/** The values of the keys for people: `web`, `80/TCP`. */
export const labelOf = (element: string): string => {
  const key = parseElement(element);
  if (key === undefined) return element;
  return isMap(key)
    ? keyNames(element)
        .map((name) => String(own(key, name)))
        .join('/')
    : String(key);
};
