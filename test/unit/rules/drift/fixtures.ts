import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { type DriftInput, findDrift } from '../../../../src/rules/drift/find-drift.ts';

export type Json = Record<string, unknown>;

/** A chart's Deployment, which sets few fields, as charts do. */
export const chartDeployment: Json = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    labels: { 'app.kubernetes.io/name': 'web' },
    annotations: { 'shop.example/team': 'checkout' },
  },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          {
            name: 'web',
            image: 'web:1',
            args: ['--port', '80'],
            env: [{ name: 'MODE', value: '1' }],
            ports: [{ containerPort: 80 }, { name: 'dns', containerPort: 53, protocol: 'UDP' }],
            resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: {} },
            securityContext: null,
          },
        ],
        volumes: [{ name: 'tmp', emptyDir: {} }],
      },
    },
  },
};

/** The same Deployment in the cluster, with the defaults of kube-apiserver 1.36. */
export const liveDeployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'f2a9',
    resourceVersion: '10',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { 'app.kubernetes.io/name': 'web', 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: {
      'shop.example/team': 'checkout',
      'meta.helm.sh/release-name': 'web',
      'meta.helm.sh/release-namespace': 'shop',
      'deployment.kubernetes.io/revision': '1',
    },
    managedFields: [
      {
        manager: 'helm',
        operation: 'Update',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:app.kubernetes.io/name': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"web"}': {
                    '.': {},
                    'f:args': {},
                    'f:env': { '.': {}, 'k:{"name":"MODE"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                    'f:image': {},
                    'f:name': {},
                    'f:ports': {
                      '.': {},
                      'k:{"containerPort":53,"protocol":"UDP"}': { '.': {}, 'f:containerPort': {} },
                      'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
                    },
                    'f:resources': { 'f:limits': { '.': {}, 'f:cpu': {}, 'f:memory': {} } },
                  },
                },
                'f:volumes': { '.': {}, 'k:{"name":"tmp"}': { '.': {}, 'f:emptyDir': {}, 'f:name': {} } },
              },
            },
          },
        },
      },
    ],
  },
  spec: {
    replicas: 2,
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          {
            name: 'web',
            image: 'web:1',
            args: ['--port', '80'],
            env: [{ name: 'MODE', value: '1' }],
            imagePullPolicy: 'IfNotPresent',
            ports: [
              { containerPort: 80, protocol: 'TCP' },
              { name: 'dns', containerPort: 53, protocol: 'UDP' },
            ],
            resources: { limits: { cpu: '1', memory: '1Gi' } },
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
          },
        ],
        dnsPolicy: 'ClusterFirst',
        restartPolicy: 'Always',
        schedulerName: 'default-scheduler',
        securityContext: {},
        terminationGracePeriodSeconds: 30,
        volumes: [{ name: 'tmp', emptyDir: {} }],
      },
    },
  },
  status: { replicas: 2 },
} satisfies KubernetesObject;

/** An object as Helm writes it: with its ownership label and annotations. */
export const asInstalled = (document: Json, live: Json = {}): KubernetesObject => {
  const metadata = document.metadata as Json;
  return {
    ...structuredClone(document),
    ...structuredClone(live),
    metadata: {
      ...structuredClone(metadata),
      namespace: 'shop',
      labels: { ...(metadata.labels as Json), 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        ...(metadata.annotations as Json),
        'meta.helm.sh/release-name': 'web',
        'meta.helm.sh/release-namespace': 'shop',
      },
      ...((live.metadata as Json | undefined) ?? {}),
    } as NonNullable<KubernetesObject['metadata']>,
  };
};

/** A copy in which the value at each JSON Pointer is replaced, added (`-` appends to a list) or removed. */
export const edit = <T>(object: T, ...edits: readonly (readonly [pointer: string, value?: unknown])[]): T => {
  const copy = structuredClone(object);
  for (const [pointer, value] of edits) {
    const keys = pointer
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    let at = copy as Json;
    for (const key of keys) {
      at[key] ??= {};
      at = at[key] as Json;
    }
    if (Array.isArray(at)) {
      if (value === undefined) at.splice(Number(last), 1);
      else if (last === '-') at.push(value);
      else at[Number(last)] = value;
    } else if (value === undefined) delete at[last];
    // An assignment to `__proto__` would add no key.
    else Object.defineProperty(at, last, { value, configurable: true, enumerable: true, writable: true });
  }
  return copy;
};

export const drift = (
  subject: 'user' | 'serviceAccount',
  document: Json,
  before: KubernetesObject,
  after: KubernetesObject,
  more: Partial<DriftInput> = {},
) =>
  findDrift({
    scope: subject === 'user' ? 'AllFields' : 'ChartFields',
    document,
    before,
    after,
    releaseName: 'web',
    releaseNamespace: 'shop',
    ignore: [],
    ...more,
  });

export const paths = (...args: Parameters<typeof drift>): readonly string[] => drift(...args).map(({ path }) => path);
