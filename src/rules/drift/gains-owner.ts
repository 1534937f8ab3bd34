import type { KubernetesObject } from '../../kubernetes/object.ts';

const ownersOf = (object: KubernetesObject): readonly unknown[] => {
  const owners: unknown = object.metadata?.ownerReferences;
  return Array.isArray(owners) ? owners : [];
};

const uidOf = (owner: unknown): unknown =>
  typeof owner === 'object' && owner !== null ? (owner as { readonly uid?: unknown }).uid : undefined;

/**
 * Whether the object gets a new owner. The garbage collector deletes an object whose owners are gone or never existed, and Belay does not
 * review that delete. So a user who sets an owner decides when the object is deleted.
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export const gainsOwner = (before: KubernetesObject, after: KubernetesObject): boolean => {
  const known = new Set(ownersOf(before).map(uidOf));
  return ownersOf(after).some((owner) => !known.has(uidOf(owner)));
};
