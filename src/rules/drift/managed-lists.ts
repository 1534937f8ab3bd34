import type { Step } from './field-path.ts';
import { isList, isMap, type JsonMap, own } from './json.ts';

/**
 * How the API server identifies the items of a list: by keys (`k:{"name":"web"}`), by value (`v:"x"`), or unknown. The API server knows the
 * schema and writes this into `managedFields`. Charts and reviews do not carry the schema.
 * Format: sigs.k8s.io/structured-merge-diff `fieldpath.PathElement`.
 */
export type ManagedList = { readonly keys: readonly string[] } | 'set' | undefined;

/** The field sets of the old and the new object. A user who erases the entries of the new object hides nothing. */
export const managedFieldSets = (...objects: readonly JsonMap[]): readonly JsonMap[] => {
  const sets: JsonMap[] = [];
  for (const object of objects) {
    const metadata = own(object, 'metadata');
    const entries = isMap(metadata) ? own(metadata, 'managedFields') : undefined;
    if (!isList(entries)) continue;
    for (const entry of entries) {
      const fields = isMap(entry) ? own(entry, 'fieldsV1') : undefined;
      if (isMap(fields)) sets.push(fields);
    }
  }
  return sets;
};

export const findManagedList = (sets: readonly JsonMap[], path: readonly Step[]): ManagedList => {
  for (const set of sets) {
    const fields = lookUp(set, path);
    for (const field in fields) {
      if (field.startsWith('v:')) return 'set';
      const keys = field.startsWith('k:') ? Object.keys(managedKey(field) ?? {}) : [];
      if (keys.length > 0) return { keys };
    }
  }
  return undefined;
};

const lookUp = (set: JsonMap, path: readonly Step[]): JsonMap | undefined => {
  let fields: unknown = set;
  for (const step of path) {
    const element = typeof step === 'string' ? `f:${step}` : step.managedKey;
    if (element === undefined || !isMap(fields)) return undefined;
    fields = own(fields, element);
  }
  return isMap(fields) ? fields : undefined;
};

const managedKey = (field: string): JsonMap | undefined => {
  try {
    const key: unknown = JSON.parse(field.slice(2));
    return isMap(key) ? key : undefined;
  } catch {
    return undefined;
  }
};
