import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Review } from './wire/review.ts';

const hasFinalizers = (object: KubernetesObject | undefined): boolean => {
  const finalizers: unknown = object?.metadata?.finalizers;
  return Array.isArray(finalizers) && finalizers.length > 0;
};

/**
 * Whether an UPDATE takes the last finalizer off an object that is being deleted. The API server deletes the object with this very write, and
 * asks no webhook about a DELETE (k8s.io/apiserver pkg/registry/generic/registry/store.go, deleteWithoutFinalizers).
 */
export const takesLastFinalizer = ({ operation, object, oldObject }: Review): boolean =>
  operation === 'UPDATE' &&
  oldObject?.metadata?.deletionTimestamp !== undefined &&
  hasFinalizers(oldObject) &&
  !hasFinalizers(object);

/**
 * The review of such an UPDATE, as that of the DELETE that it is. A Namespace is left alone: all in it is deleted as soon as its own deletion
 * is admitted, so its finalizers keep nothing.
 */
export const asDeletion = (review: Review): Review & { readonly endsDeletion?: true } => {
  const { resource } = review;
  if (resource.group === '' && resource.resource === 'namespaces') return review;
  return takesLastFinalizer(review)
    ? { ...review, operation: 'DELETE', object: undefined, endsDeletion: true }
    : review;
};
