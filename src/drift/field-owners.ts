import type { KubernetesObject, ManagedFieldsEntry } from '../kubernetes/object.ts';
import { HELM_MANAGER } from '../rules/drift/field-ownership.ts';
import { isList, isMap, type JsonMap, own } from '../rules/drift/json.ts';
import type { FieldWriter } from './findings.ts';

/**
 * Tells who owns a field, by the `managedFields` that the API server wrote.
 * Format: sigs.k8s.io/structured-merge-diff `fieldpath.PathElement`.
 */

/** `/metadata/annotations/a.b~1c` -> its keys. */
export const splitPointer = (pointer: string): readonly string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));

const parseKey = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The entry for an item of a list. It names the item by its keys (`k:{"name":"web"}`), or in a set by its value (`v:"x"`). */
const itemElement = (fields: JsonMap, item: unknown): string | undefined =>
  Object.keys(fields).find((element) => {
    const key = parseKey(element.slice(2));
    if (element.startsWith('v:')) return key === item;
    if (!element.startsWith('k:') || !isMap(key) || !isMap(item)) return false;
    return Object.entries(key).every(([name, value]) => own(item, name) === value);
  });

/** Whether an entry owns the field at that place of the live object. An entry may also own a whole list or map that the field is part of. */
const owns = (entry: ManagedFieldsEntry, live: unknown, keys: readonly string[]): boolean => {
  let fields: unknown = entry.fieldsV1;
  let value = live;
  for (const key of keys) {
    if (!isMap(fields)) return false;
    const next: unknown = isList(value) ? value[Number(key)] : isMap(value) ? own(value, key) : undefined;
    const element = isList(value) ? itemElement(fields, next) : `f:${key}`;
    // A list or map that is owned as a whole has no entries below it.
    if (element === undefined || !Object.hasOwn(fields, element)) return Object.keys(fields).length === 0;
    fields = fields[element];
    value = next;
  }
  return true;
};

export const ownersOf = (live: KubernetesObject, pointer: string): readonly ManagedFieldsEntry[] => {
  const keys = splitPointer(pointer);
  return (live.metadata?.managedFields ?? []).filter((entry) => owns(entry, live, keys));
};

const timeOf = ({ time }: ManagedFieldsEntry): number => Date.parse(time ?? '') || 0;

/** Of the owners of a field, the one that wrote last. */
export const lastWriter = (live: KubernetesObject, pointer: string): FieldWriter | undefined => {
  const [newest] = ownersOf(live, pointer).toSorted((a, b) => timeOf(b) - timeOf(a));
  if (newest === undefined) return undefined;
  return { manager: newest.manager ?? '', atMs: timeOf(newest) || undefined };
};

const MARK = '/metadata/annotations/meta.helm.sh~1release-name';

/**
 * The name under which the program that manages the release writes its objects. A program that embeds Helm has a name of its own. That name counts
 * only where it has applied the ownership marks and Helm itself has never written: an apply under a name removes fields that this name has
 * applied before.
 */
export const helmManagerOf = (live: KubernetesObject): string => {
  const entries = live.metadata?.managedFields ?? [];
  if (entries.some(({ manager }) => manager === HELM_MANAGER)) return HELM_MANAGER;
  const applied = ownersOf(live, MARK).filter(({ operation, manager }) => operation === 'Apply' && manager);
  return applied.length === 1 ? (applied[0]?.manager ?? HELM_MANAGER) : HELM_MANAGER;
};
