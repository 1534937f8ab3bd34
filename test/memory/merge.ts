import { type Fields, isObject, itemKey, itemsByKey, type JsonObject } from './fields.ts';

/** `applied` over `live`, with the lists that have keys merged item by item: server-side apply and strategic merge alike. */
export const mergeByKey = (live: unknown, applied: unknown, field = ''): unknown => {
  const items = itemsByKey(field, applied);
  if (items !== undefined && Array.isArray(live)) {
    const known = new Set(live.map((item: unknown) => itemKey(field, item, live)));
    return [
      ...live.map((item: unknown) => {
        const wanted = items.get(itemKey(field, item, live) ?? '');
        return wanted === undefined ? item : mergeByKey(item, wanted);
      }),
      ...[...items].filter(([key]) => !known.has(key)).map(([, item]) => item),
    ];
  }
  if (!isObject(live) || !isObject(applied)) return applied;
  const merged: Record<string, unknown> = { ...live };
  for (const [key, value] of Object.entries(applied)) {
    if (value === null) delete merged[key];
    else merged[key] = mergeByKey(live[key], value, key);
  }
  return merged;
};

/** RFC 7386. */
export const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
};

/** Takes the leaves of a set of fields out of a value; undefined where nothing is left of it. */
export const withoutFields = (value: unknown, fields: Fields, field = ''): unknown => {
  if (Object.keys(fields).length === 0) return undefined;
  const items = itemsByKey(field, value);
  if (items !== undefined) {
    const kept = [...items].map(([key, item]) => (fields[key] === undefined ? item : withoutFields(item, fields[key])));
    return kept.filter((item) => item !== undefined && !(isObject(item) && Object.keys(item).length === 0));
  }
  if (!isObject(value)) return value;
  const kept: Record<string, unknown> = { ...value };
  for (const [key, inner] of Object.entries(fields)) {
    const name = key.slice(2);
    if (!key.startsWith('f:') || !(name in kept)) continue;
    const left = withoutFields(kept[name], inner, name);
    if (left === undefined) delete kept[name];
    else kept[name] = left;
  }
  return kept;
};

interface JsonPatchStep {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

const segmentsOf = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));

/** RFC 6902: add, replace and remove. Throws where a step does not fit. */
export const jsonPatch = (document: JsonObject, steps: readonly JsonPatchStep[]): JsonObject => {
  const patched = structuredClone(document) as Record<string, unknown>;
  for (const { op, path, value } of steps) {
    const segments = segmentsOf(path);
    const last = segments.at(-1) ?? '';
    let parent: unknown = patched;
    for (const segment of segments.slice(0, -1)) {
      parent = Array.isArray(parent)
        ? parent[Number(segment)]
        : (parent as Record<string, unknown> | undefined)?.[segment];
    }
    if (Array.isArray(parent)) {
      const index = last === '-' ? parent.length : Number(last);
      if (op === 'add') parent.splice(index, 0, value);
      else if (op === 'remove') parent.splice(index, 1);
      else parent[index] = value;
      continue;
    }
    if (!isObject(parent)) throw new TypeError(`JSON patch: there is no ${path}`);
    const holder = parent as Record<string, unknown>;
    if (op !== 'add' && !(last in holder)) throw new TypeError(`JSON patch: there is no ${path}`);
    if (op === 'remove') delete holder[last];
    else holder[last] = value;
  }
  return patched;
};
