import type { KubernetesObject } from '../../kubernetes/object.ts';

const ownersOf = (object: KubernetesObject): readonly unknown[] => {
  const owners: unknown = object.metadata?.ownerReferences;
  return Array.isArray(owners) ? owners : [];
};

const uidOf = (owner: unknown): unknown =>
  typeof owner === 'object' && owner !== null ? (owner as { readonly uid?: unknown }).uid : undefined;

/**
 * Whether the object gets an owner that it had not. The garbage collector deletes it when its owners are gone or never were, and of that Belay
 * is not asked: to make somebody an owner is to decide when the object goes.
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export const gainsOwner = (before: KubernetesObject, after: KubernetesObject): boolean => {
  const known = new Set(ownersOf(before).map(uidOf));
  return ownersOf(after).some((owner) => !known.has(uidOf(owner)));
};
