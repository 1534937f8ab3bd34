import { randomUUID } from 'node:crypto';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Attempt } from './admission.ts';
import { scaleOf } from './scale.ts';

/** The AdmissionReview that the API server sends about a write. */
export const reviewOf = ({ operation, place, requestName, caller, dryRun, before, after }: Attempt): object => {
  const { group, version, resource, kind } = place.resource;
  const isScale = place.subResource === 'scale';
  const gvk = isScale ? { group: 'autoscaling', version: 'v1', kind: 'Scale' } : { group, version, kind };
  const gvr = { group, version, resource };
  const sub = place.subResource === '' ? {} : { subResource: place.subResource };
  const shown = (object: KubernetesObject | undefined): KubernetesObject | undefined =>
    isScale && object !== undefined ? scaleOf(object) : object;
  // The API server gives a Namespace its own name as its namespace.
  const namespace = kind === 'Namespace' ? requestName || before?.metadata?.name : place.namespace;
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: randomUUID(),
      kind: gvk,
      resource: gvr,
      ...sub,
      requestKind: gvk,
      requestResource: gvr,
      ...(place.subResource !== '' && { requestSubResource: place.subResource }),
      ...(requestName !== '' && { name: requestName }),
      ...(namespace !== undefined && namespace !== '' && { namespace }),
      operation,
      userInfo: caller.user,
      object: shown(after) ?? null,
      oldObject: shown(before) ?? null,
      dryRun,
      options: { kind: OPTIONS[operation], apiVersion: 'meta.k8s.io/v1' },
    },
  };
};

const OPTIONS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const;
