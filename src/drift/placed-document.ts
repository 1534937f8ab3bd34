import type { ReleaseName } from '../helm/names.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { chartShape } from '../rules/drift/chart-shape.ts';
import { isMap, type JsonMap, own } from '../rules/drift/json.ts';

/** The marks that name a release: its name, and the namespace of its objects. */
export interface Marks {
  readonly releaseName: string;
  readonly releaseNamespace: string;
}

/** Written by the API server alone. A chart that was made of what `kubectl get` printed may hold them. */
const SERVER_FIELDS = ['creationTimestamp', 'generation', 'managedFields', 'resourceVersion', 'selfLink', 'uid'];

/**
 * The chart's document as Helm sends it: with the ownership marks, and in the namespace in which Helm would put it (charts often leave
 * that out, and sometimes give one to what has none). `namespace` is undefined for cluster-scoped kinds.
 */
export const placeDocument = (document: JsonMap, marks: Marks, namespace: string | undefined): KubernetesObject => {
  const given = own(document, 'metadata');
  const metadata: Record<string, unknown> = { ...(isMap(given) ? given : {}) };
  for (const field of [...SERVER_FIELDS, 'namespace']) delete metadata[field];
  if (namespace !== undefined) metadata.namespace = namespace;
  // Of a Secret too: `stringData` is sent as it stands, and merged into `data` by the API server.
  return chartShape({ ...document, metadata }, marks, false) as KubernetesObject;
};

/** The same as it is stored, as far as that can be known without asking the API server. */
export const toStored = (placed: KubernetesObject, marks: Marks): KubernetesObject => {
  const isSecret = placed.kind === 'Secret' && placed.apiVersion === 'v1';
  return withProtocols(chartShape(placed, marks, isSecret), '') as KubernetesObject;
};

/**
 * Ports are TCP unless the chart says otherwise, in every built-in kind that has them; and as the protocol is part of what their lists
 * are keyed by, they would not be known again without it.
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

/** Whether the object says that it belongs to that release. Without, it may be anybody's. */
export const isMarked = (live: KubernetesObject, { releaseName, releaseNamespace }: Marks): boolean => {
  const annotations = live.metadata?.annotations ?? {};
  return (
    annotations['meta.helm.sh/release-name'] === releaseName &&
    annotations['meta.helm.sh/release-namespace'] === releaseNamespace
  );
};
