import type { ObjectRef } from '../../kubernetes/object.ts';
import type { Review } from '../wire/review.ts';

/** The object that a review is about. */
export const refOf = ({ kind, resource, namespace, name }: Review): ObjectRef => ({
  group: kind.group,
  kind: kind.kind,
  // For a Namespace the API server fills in its own name.
  namespace: resource.group === '' && resource.resource === 'namespaces' ? '' : namespace,
  name,
});
