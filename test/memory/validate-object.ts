import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Place } from './resources.ts';
import { StatusError } from './status.ts';

const MAX_PORT = 65_535;

/** As much of the validation as the shop chart needs, to have an object that the API server refuses. */
export const validateObject = ({ resource }: Place, { metadata, spec }: KubernetesObject): void => {
  if (resource.resource !== 'services') return;
  const { ports = [] } = (spec ?? {}) as { ports?: readonly { readonly port: number }[] };
  const bad = ports.findIndex(({ port }) => port < 1 || port > MAX_PORT);
  if (bad === -1) return;
  throw new StatusError(
    422,
    'Invalid',
    `Service "${metadata?.name ?? ''}" is invalid: spec.ports[${bad}].port: Invalid value: ${ports[bad]?.port}: must be between 1 and ${MAX_PORT}, inclusive`,
  );
};
