import type { KubernetesObject } from '../../src/kubernetes/object.ts';

/** What a client gets that asks for `metadata` alone. */
export const metadataOnly = ({ metadata }: KubernetesObject): KubernetesObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: metadata ?? {},
});

export const wantsMetadata = (accept: string | undefined, shape: 'object' | 'list'): boolean =>
  accept?.includes(shape === 'list' ? 'as=PartialObjectMetadataList' : 'as=PartialObjectMetadata;') === true;
