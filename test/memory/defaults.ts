import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { isObject } from './fields.ts';

const isPort = (item: unknown): boolean => isObject(item) && ('port' in item || 'containerPort' in item);

const withDefaultsIn = (value: unknown): unknown => {
  if (Array.isArray(value))
    return value.map((item: unknown) => {
      const inner = withDefaultsIn(item);
      return isObject(inner) && isPort(inner) && inner.protocol === undefined ? { ...inner, protocol: 'TCP' } : inner;
    });
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withDefaultsIn(inner)]));
};

/** The default by which the API server tells the ports of a list apart. It fills in others, which nothing here asks for. */
export const withDefaults = (object: KubernetesObject): KubernetesObject =>
  object.spec === undefined ? object : { ...object, spec: withDefaultsIn(object.spec) };
