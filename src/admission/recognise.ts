import { CLAIM_LABEL } from '../facts/claim-lease.ts';
import { ownerOf } from '../helm/owner.ts';
import { parseRecordName, payloadOf } from '../helm/record.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { ReviewKind } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

const hasLabel = (object: KubernetesObject | undefined, label: string, value: string): boolean =>
  object?.metadata?.labels?.[label] === value;

// Helm lists its records by label: one of any other name that holds a payload would count for Helm as well.
const isRecord = ({ resource, name, object, oldObject }: Review): boolean =>
  resource.group === '' &&
  (resource.resource === 'secrets' || resource.resource === 'configmaps') &&
  (hasLabel(object, 'owner', 'helm') || hasLabel(oldObject, 'owner', 'helm')) &&
  (parseRecordName(name) !== undefined || payloadOf(object) !== undefined);

/** Tells what a review is about. The rules follow from it, and so does what an expired deadline means. */
export const classify = (review: Review): ReviewKind => {
  const { resource, subResource, object, oldObject } = review;
  if (subResource === 'scale') return 'scale';
  if (subResource !== '') return 'unknown';
  if (isRecord(review)) return 'record';
  if (resource.group === '' && resource.resource === 'namespaces') return 'namespace';
  if (resource.group === 'belay.dev' && resource.resource === 'releasepolicies') return 'policy';
  if (resource.group === 'coordination.k8s.io' && resource.resource === 'leases') {
    if (hasLabel(object, CLAIM_LABEL, 'true') || hasLabel(oldObject, CLAIM_LABEL, 'true')) return 'claim';
  }
  return ownerOf(object) !== undefined || ownerOf(oldObject) !== undefined ? 'object' : 'unknown';
};
