import type { ReviewKind } from '../admission/answer.ts';
import type { KubernetesObject, Review } from '../admission/review.ts';
import { CLAIM_LABEL } from '../cluster/claim-lease.ts';
import { parseRecordName, payloadOf } from '../helm/record.ts';
import type { ReleaseName } from '../rules/verdict.ts';

const hasLabel = (object: KubernetesObject | undefined, label: string, value: string): boolean =>
  object?.metadata?.labels?.[label] === value;

/** The release that an object's two ownership annotations name; undefined unless both are there. */
export const ownerOf = (object: KubernetesObject | undefined): ReleaseName | undefined => {
  const annotations = object?.metadata?.annotations;
  const name = annotations?.['meta.helm.sh/release-name'];
  const namespace = annotations?.['meta.helm.sh/release-namespace'];
  return name === undefined || namespace === undefined || name === '' ? undefined : { namespace, name };
};

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
