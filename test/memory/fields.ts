/**
 * Sets of fields, as `managedFields` writes them: `{"f:spec":{"f:replicas":{}}}`. A leaf is an empty set. Lists that the API server merges
 * by key have an entry `k:{...}` an item; every other list is one field.
 */
export interface Fields {
  readonly [key: string]: Fields;
}

type Json = unknown;
export type JsonObject = Readonly<Record<string, Json>>;

export const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** By the field that holds the list: what tells its items apart. A superset of what the kinds in memory have. */
const LIST_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  ownerReferences: ['uid'],
};

/** Both a container and a Service have a list of this name. */
const keysOf = (field: string, items: readonly Json[]): readonly string[] | undefined => {
  if (!items.every(isObject)) return undefined;
  if (field !== 'ports') return LIST_KEYS[field];
  return items.some((item) => 'containerPort' in item) ? ['containerPort', 'protocol'] : ['port', 'protocol'];
};

export const itemKey = (field: string, item: Json, items: readonly Json[]): string | undefined => {
  const keys = keysOf(field, items);
  if (keys === undefined || !isObject(item)) return undefined;
  return `k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, item[key] ?? 'TCP'])))}`;
};

const EMPTY: Fields = {};

/** Maps of a user's own keys, which have an owner themselves: whoever wrote the first key. */
const MAPS: ReadonlySet<string> = new Set(['labels', 'annotations', 'data', 'requests', 'limits']);

/** Lists that are sets of texts. */
const SETS: ReadonlySet<string> = new Set(['finalizers']);

/** Maps that are set as a whole. */
const ATOMIC: ReadonlySet<string> = new Set(['selector', 'nodeSelector']);

/** The items of a keyed list by their key; undefined for any other value. */
export const itemsByKey = (field: string, value: Json): ReadonlyMap<string, Json> | undefined => {
  if (!Array.isArray(value)) return undefined;
  if (value.length === 0 || keysOf(field, value) === undefined) return undefined;
  return new Map(value.map((item) => [itemKey(field, item, value) ?? '', item]));
};

const without = (fields: Readonly<Record<string, Fields | undefined>>): Fields =>
  Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, Fields] => entry[1] !== undefined));

/** The fields of `after` that `before` lacks or has with another value; undefined where there are none. */
export const changedFields = (before: Json, after: Json, field = ''): Fields | undefined => {
  if (JSON.stringify(before) === JSON.stringify(after)) return undefined;
  const items = itemsByKey(field, after);
  if (items !== undefined) {
    const known = itemsByKey(field, before);
    const changed = [...items].map(([key, item]): [string, Fields | undefined] => {
      const inner = changedFields(known?.get(key), item);
      return [key, inner && (known?.has(key) === true ? inner : { '.': EMPTY, ...inner })];
    });
    return orUndefined(without(Object.fromEntries(changed)));
  }
  if (SETS.has(field) && Array.isArray(after)) {
    const old: readonly unknown[] = Array.isArray(before) ? before : [];
    const added = after.filter((item) => !old.includes(item)).map((item) => [`v:${JSON.stringify(item)}`, EMPTY]);
    return orUndefined({ ...(old.length === 0 && { '.': EMPTY }), ...Object.fromEntries(added) });
  }
  if (!isObject(after) || Object.keys(after).length === 0 || ATOMIC.has(field)) return EMPTY;
  const old = isObject(before) ? before : {};
  return orUndefined(
    without({
      ...(MAPS.has(field) && !isObject(before) && { '.': EMPTY }),
      ...Object.fromEntries(
        Object.entries(after).map(([key, value]) => [`f:${key}`, changedFields(old[key], value, key)]),
      ),
    }),
  );
};

const orUndefined = (fields: Fields): Fields | undefined => (Object.keys(fields).length === 0 ? undefined : fields);

export const union = (a: Fields, b: Fields): Fields => {
  const both: Record<string, Fields> = { ...a };
  for (const [key, inner] of Object.entries(b)) both[key] = union(both[key] ?? EMPTY, inner);
  return both;
};

/** `a` without the leaves of `b`; undefined where nothing is left. */
export const minus = (a: Fields, b: Fields): Fields | undefined => {
  if (Object.keys(a).length === 0) return undefined;
  return orUndefined(
    without(
      Object.fromEntries(
        Object.entries(a).map(([key, inner]) => [key, key in b ? minus(inner, b[key] ?? EMPTY) : inner]),
      ),
    ),
  );
};

/** The fields that both have. */
export const intersection = (a: Fields, b: Fields): Fields | undefined => {
  if (Object.keys(a).length === 0 || Object.keys(b).length === 0) return EMPTY;
  const shared = Object.entries(a).map(([key, inner]): [string, Fields | undefined] => {
    const other = b[key];
    return [key, other === undefined ? undefined : intersection(inner, other)];
  });
  return orUndefined(without(Object.fromEntries(shared)));
};

/** Those fields of a set that a value still has. */
export const presentFields = (fields: Fields, value: Json, field = ''): Fields | undefined => {
  if (value === undefined) return undefined;
  if (Object.keys(fields).length === 0) return fields;
  const items = itemsByKey(field, value);
  const kept = Object.entries(fields).map(([key, inner]): [string, Fields | undefined] => {
    if (key === '.') return [key, inner];
    if (key.startsWith('v:')) {
      const isThere = Array.isArray(value) && value.some((item) => `v:${JSON.stringify(item)}` === key);
      return [key, isThere ? inner : undefined];
    }
    if (items !== undefined) return [key, presentFields(inner, items.get(key))];
    const name = key.slice(2);
    return [key, isObject(value) ? presentFields(inner, value[name], name) : undefined];
  });
  return orUndefined(without(Object.fromEntries(kept)));
};
