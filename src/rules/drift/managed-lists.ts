import type { Step } from './field-path.ts';
import { isList, isMap, type JsonMap, own } from './json.ts';

/**
 * How the API server takes a list, from what it wrote into `managedFields` for it: by keys (`k:{"name":"web"}`), as a set
 * (`v:"x"`), or nothing that tells. It knows the schema; charts and reviews do not carry it.
 * Format: sigs.k8s.io/structured-merge-diff `fieldpath.PathElement`.
 */
export type ManagedList = { readonly keys: readonly string[] } | 'set' | undefined;

/** Old and new object count: erasing the new one's entries hides nothing. */
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
