import type { KubernetesObject } from '../../src/kubernetes/object.ts';

/** The `Scale` of an object, as the API server makes it of its parent: without labels, annotations or managedFields. */
export const scaleOf = ({ metadata = {}, spec }: KubernetesObject): KubernetesObject => {
  const { replicas = 1, selector } = (spec ?? {}) as { replicas?: number; selector?: { matchLabels?: object } };
  const terms = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const { name = '', namespace = '', uid = '', resourceVersion = '', creationTimestamp = '' } = metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    // `omitempty`: none are written as nothing.
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: 0, ...(terms.length > 0 && { selector: terms.join(',') }) },
  };
};

export const withReplicas = (parent: KubernetesObject, scale: KubernetesObject): KubernetesObject => {
  const { replicas = 0 } = (scale.spec ?? {}) as { replicas?: number };
  return { ...parent, spec: { ...(parent.spec as object | undefined), replicas } };
};
