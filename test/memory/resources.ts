/** A kind of object that the API server in memory knows. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Whether `/scale` works on it. */
  readonly scales: boolean;
  /** Whether `metadata.generation` counts the versions of `spec`. */
  readonly counted: boolean;
}

type Row = readonly [group: string, version: string, resource: string, kind: string, ...flags: readonly Flag[]];
type Flag = 'cluster' | 'scales' | 'counted';

const ROWS: readonly Row[] = [
  ['', 'v1', 'namespaces', 'Namespace', 'cluster'],
  ['', 'v1', 'secrets', 'Secret'],
  ['', 'v1', 'configmaps', 'ConfigMap'],
  ['', 'v1', 'services', 'Service'],
  ['', 'v1', 'serviceaccounts', 'ServiceAccount'],
  ['', 'v1', 'events', 'Event'],
  ['apps', 'v1', 'deployments', 'Deployment', 'scales', 'counted'],
  ['apps', 'v1', 'statefulsets', 'StatefulSet', 'scales', 'counted'],
  ['apps', 'v1', 'replicasets', 'ReplicaSet', 'scales', 'counted'],
  ['autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler'],
  ['batch', 'v1', 'jobs', 'Job', 'counted'],
  ['coordination.k8s.io', 'v1', 'leases', 'Lease'],
  ['rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', 'cluster'],
  ['belay.dev', 'v1alpha1', 'releasepolicies', 'ReleasePolicy', 'cluster', 'counted'],
  ['belay.dev.test', 'v1', 'widgets', 'Widget', 'scales', 'counted'],
];

const RESOURCES: readonly Resource[] = ROWS.map(([group, version, resource, kind, ...flags]) => ({
  group,
  version,
  resource,
  kind,
  namespaced: !flags.includes('cluster'),
  scales: flags.includes('scales'),
  counted: flags.includes('counted'),
}));

export const apiVersionOf = ({ group, version }: Pick<Resource, 'group' | 'version'>): string =>
  group === '' ? version : `${group}/${version}`;

export const resourceOfKind = (apiVersion: string, kind: string): Resource => {
  const found = RESOURCES.find((known) => known.kind === kind && apiVersionOf(known) === apiVersion);
  if (found === undefined) throw new Error(`the API server in memory knows no ${apiVersion} ${kind}`);
  return found;
};

export const NAMESPACES = resourceOfKind('v1', 'Namespace');

/** What the path of a request names. */
export interface Place {
  readonly resource: Resource;
  /** Empty for cluster-scoped objects, and for a list over all namespaces. */
  readonly namespace: string;
  /** Empty for a collection. */
  readonly name: string;
  readonly subResource: string;
}

/** `/apis/apps/v1/namespaces/shop/deployments/web/scale`; undefined where no such kind is known. */
export const placeOf = (path: string): Place | undefined => {
  const [root, ...segments] = path.slice(1).split('/').map(decodeURIComponent);
  const group = root === 'api' ? '' : (segments.shift() ?? '');
  const version = segments.shift() ?? '';
  const isInNamespace =
    segments[0] === 'namespaces' && segments.length > 2 && !['status', 'finalize'].includes(segments[2] ?? '');
  const namespace = isInNamespace ? (segments.splice(0, 2)[1] ?? '') : '';
  const [plural = '', name = '', subResource = ''] = segments;
  const resource = RESOURCES.find(
    (known) => known.group === group && known.version === version && known.resource === plural,
  );
  return resource && { resource, namespace, name, subResource };
};

export const pathOfObject = (resource: Resource, namespace: string, name = ''): string =>
  [
    resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`,
    ...(resource.namespaced && namespace !== '' ? ['namespaces', encodeURIComponent(namespace)] : []),
    resource.resource,
    ...(name === '' ? [] : [encodeURIComponent(name)]),
  ].join('/');

/** What discovery answers at `/api/v1` or `/apis/apps/v1`. */
export const resourcesServedAt = (path: string): readonly object[] =>
  RESOURCES.filter(
    ({ group, version }) => path === (group === '' ? `/api/${version}` : `/apis/${group}/${version}`),
  ).map(({ resource: name, kind, namespaced }) => ({ name, kind, namespaced }));
