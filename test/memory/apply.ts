import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { changedFields, type Fields, intersection, minus } from './fields.ts';
import { managedPart, ownedBy } from './managed-fields.ts';
import { mergeByKey, withoutFields } from './merge.ts';
import { StatusError } from './status.ts';

/** The fields that an applied object names. */
export const namedFields = (applied: KubernetesObject): Fields =>
  withoutMapMarks(changedFields({}, managedPart(applied)) ?? {});

/** An apply owns the keys that it names and the items of lists, but not the maps that the keys are in. */
const withoutMapMarks = (fields: Fields, isItem = false): Fields =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([key]) => key !== '.' || isItem)
      .map(([key, inner]) => [key, withoutMapMarks(inner, key.startsWith('k:'))]),
  );

/** Whoever owns a field that an apply would change; the API server refuses that unless the apply is forced. */
const conflictOf = (stored: KubernetesObject, applied: KubernetesObject, manager: string): string | undefined => {
  const changed = changedFields(managedPart(stored), mergeByKey(managedPart(stored), managedPart(applied)));
  if (changed === undefined) return undefined;
  const entry = (stored.metadata?.managedFields ?? []).find(
    ({ manager: other, operation, fieldsV1 }) =>
      !(other === manager && operation === 'Apply') && intersection(changed, (fieldsV1 ?? {}) as Fields) !== undefined,
  );
  return entry?.manager;
};

/** A stored object after a server-side apply: what is named is set, and what was applied before and is not named goes. */
export const applyTo = (
  stored: KubernetesObject,
  applied: KubernetesObject,
  { manager, force }: { readonly manager: string; readonly force: boolean },
): KubernetesObject => {
  const conflict = force ? undefined : conflictOf(stored, applied, manager);
  if (conflict !== undefined)
    throw new StatusError(409, 'Conflict', `Apply failed with 1 conflict: conflict with "${conflict}"`);
  const before = ownedBy(stored, { manager, operation: 'Apply', time: '' });
  const dropped = before && minus(before, namedFields(applied));
  const others = (stored.metadata?.managedFields ?? []).filter(
    (entry) => !(entry.manager === manager && entry.operation === 'Apply'),
  );
  const unshared = others.reduce<Fields | undefined>(
    (left, { fieldsV1 }) => left && minus(left, (fieldsV1 ?? {}) as Fields),
    dropped,
  );
  const kept = unshared === undefined ? stored : (withoutFields(stored, unshared) as KubernetesObject);
  return mergeByKey(kept, applied) as KubernetesObject;
};
