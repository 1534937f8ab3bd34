import type { KubernetesObject } from '../kubernetes/object.ts';
import type { ReleaseName } from './names.ts';

/** The release that an object's two ownership annotations name; undefined unless both are there. */
export const ownerOf = (object: KubernetesObject | undefined): ReleaseName | undefined => {
  const annotations = object?.metadata?.annotations;
  const name = annotations?.['meta.helm.sh/release-name'];
  const namespace = annotations?.['meta.helm.sh/release-namespace'];
  return name === undefined || namespace === undefined || name === '' ? undefined : { namespace, name };
};
