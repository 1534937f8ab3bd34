import { CLAIM_LABEL, releaseOfLease } from '../facts/claim-lease.ts';
import type { ReleaseName } from '../helm/names.ts';
import { ownerOf } from '../helm/owner.ts';
import { parseRecordName, payloadOf } from '../helm/record.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Aspect, Recognise } from './recognised-review.ts';
import type { Review } from './wire/review.ts';

type Find = (review: Review) => Aspect | undefined;

const hasLabel = (object: KubernetesObject | undefined, label: string, value: string): boolean =>
  object?.metadata?.labels?.[label] === value;

const SCALE: Aspect = { kind: 'scale' };
const NAMESPACE: Aspect = { kind: 'namespace' };
const POLICY: Aspect = { kind: 'policy' };

/**
 * Helm lists its records by label. An object of any other name that holds a payload counts for Helm as well. One that has the name alone stands in
 * the way of the record of that name.
 */
const findRecord: Find = ({ operation, resource, name, object, oldObject }) => {
  if (resource.group !== '' || (resource.resource !== 'secrets' && resource.resource !== 'configmaps'))
    return undefined;
  const recordName = parseRecordName(name);
  if (!hasLabel(object, 'owner', 'helm') && !hasLabel(oldObject, 'owner', 'helm')) {
    return operation === 'CREATE' && recordName !== undefined ? { kind: 'record', recordName } : undefined;
  }
  return recordName === undefined && payloadOf(object) === undefined ? undefined : { kind: 'record', recordName };
};

const findNamespace: Find = ({ resource }) =>
  resource.group === '' && resource.resource === 'namespaces' ? NAMESPACE : undefined;

const findPolicy: Find = ({ resource }) =>
  resource.group === 'belay.dev' && resource.resource === 'releasepolicies' ? POLICY : undefined;

/** By its name: Belay claims a release by the Lease of that name, whatever its labels are. */
const findClaim: Find = ({ resource, namespace, name, object, oldObject }) => {
  if (resource.group !== 'coordination.k8s.io' || resource.resource !== 'leases') return undefined;
  const release = releaseOfLease(name);
  const isLabelled = hasLabel(object, CLAIM_LABEL, 'true') || hasLabel(oldObject, CLAIM_LABEL, 'true');
  if (release === undefined && !isLabelled) return undefined;
  return { kind: 'claim', release: release === undefined ? undefined : { namespace, name: release } };
};

const ownersOf = (before: ReleaseName | undefined, after: ReleaseName | undefined): readonly ReleaseName[] => {
  if (before === undefined) return after === undefined ? [] : [after];
  const isSame = after === undefined || (before.name === after.name && before.namespace === after.namespace);
  return isSame ? [before] : [before, after];
};

const findGovernedObject: Find = ({ object, oldObject }) => {
  const owners = ownersOf(ownerOf(oldObject), ownerOf(object));
  return owners.length === 0 ? undefined : { kind: 'object', owners };
};

/**
 * In the order in which they have their say. The first one decides what becomes of a review that could not be judged in time, and so the
 * stricter ones come first (server/without-verdict.ts).
 */
const FINDS: readonly Find[] = [findRecord, findNamespace, findClaim, findGovernedObject, findPolicy];

const findAspects = (review: Review): readonly Aspect[] => {
  if (review.subResource === 'scale') return [SCALE];
  if (review.subResource !== '') return NO_ASPECTS;
  return FINDS.flatMap((find) => find(review) ?? NO_ASPECTS);
};

const NO_ASPECTS: readonly Aspect[] = [];

/**
 * Tells what a review is about. The rules follow from it, and so does the answer to a review that could not be judged in time. A review may be
 * about several things: a chart may hold Namespaces, policies and Leases, and these are objects of its release as well.
 */
export const recognise: Recognise = (review) => {
  const aspects = findAspects(review);
  return { ...review, reviewKind: aspects[0]?.kind ?? 'unknown', aspects };
};
