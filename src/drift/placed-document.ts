import type { ReleaseName } from '../helm/names.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { chartShape } from '../rules/drift/chart-shape.ts';
import { isMap, type JsonMap, own } from '../rules/drift/json.ts';

/** The marks that name a release: its name, and the namespace of its objects. */
export interface Marks {
  readonly releaseName: string;
  readonly releaseNamespace: string;
}

/** Fields that only the API server writes. A chart that was made from the output of `kubectl get` may hold them. */
const SERVER_FIELDS = ['creationTimestamp', 'generation', 'managedFields', 'resourceVersion', 'selfLink', 'uid'];

/**
 * The chart's document as Helm sends it: with the ownership marks, and in the namespace in which Helm would put it. Charts often leave the namespace
 * out, and sometimes give one to a kind without namespaces. `namespace` is undefined for cluster-scoped kinds.
 */
export const placeDocument = (document: JsonMap, marks: Marks, namespace: string | undefined): KubernetesObject => {
  const given = own(document, 'metadata');
  const metadata: Record<string, unknown> = { ...(isMap(given) ? given : {}) };
  for (const field of [...SERVER_FIELDS, 'namespace']) delete metadata[field];
  if (namespace !== undefined) metadata.namespace = namespace;
  // The `stringData` of a Secret is sent as it is. The API server merges it into `data`.
  return chartShape({ ...document, metadata }, marks, false) as KubernetesObject;
};

/** The document nearly as the API server would store it, made without asking the API server. */
export const toStored = (placed: KubernetesObject, marks: Marks): KubernetesObject => {
  const isSecret = placed.kind === 'Secret' && placed.apiVersion === 'v1';
  return withProtocols(chartShape(placed, marks, isSecret), '') as KubernetesObject;
};

/**
 * In every built-in kind with ports, the default protocol of a port is TCP. The protocol is part of the key of a list of ports. Without it, a port
 * of the chart would not be found among the live ports.
 */
const withProtocols = (value: unknown, parent: string): unknown => {
  if (Array.isArray(value)) return value.map((item) => withProtocols(item, parent));
  if (!isMap(value)) return value;
  const isPort = parent === 'ports' && ('port' in value || 'containerPort' in value);
  return {
    ...Object.fromEntries(Object.entries(value).map(([key, child]) => [key, withProtocols(child, key)])),
    ...(isPort && own(value, 'protocol') === undefined && { protocol: 'TCP' }),
  };
};

export const marksOf = (release: ReleaseName, namespace: string): Marks => ({
  releaseName: release.name,
  releaseNamespace: namespace,
});

/** Whether the object has the ownership marks of the release. Without them it may belong to anybody. */
export const isMarked = (live: KubernetesObject, { releaseName, releaseNamespace }: Marks): boolean => {
  const annotations = live.metadata?.annotations ?? {};
  return (
    annotations['meta.helm.sh/release-name'] === releaseName &&
    annotations['meta.helm.sh/release-namespace'] === releaseNamespace
  );
};
