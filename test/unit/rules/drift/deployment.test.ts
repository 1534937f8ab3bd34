// Longer than 200 lines: one table of changes of a Deployment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { chartDeployment, drift, edit, type Json, liveDeployment, paths } from './fixtures.ts';

const pod = '/spec/template/spec';
const web = `${pod}/containers/0`;
const restartedAt = '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt';
const before: KubernetesObject = liveDeployment;

interface Case {
  readonly name: string;
  readonly edits: readonly (readonly [pointer: string, value?: unknown])[];
  readonly user: readonly string[];
  readonly serviceAccount: readonly string[];
  readonly document?: Json;
  readonly before?: KubernetesObject;
}

const livePod = () => {
  const { containers } = structuredClone(liveDeployment).spec.template.spec;
  return { containers, ports: containers[0]?.ports ?? [] };
};

const container = 'spec.template.spec.containers[web]';
const withoutReplicas = edit(chartDeployment, ['/spec/replicas']);

const cases: readonly Case[] = [
  { name: 'nothing', edits: [], user: [], serviceAccount: [] },
  {
    name: 'kubectl set image',
    edits: [[`${web}/image`, 'web:2']],
    user: [`${container}.image`],
    serviceAccount: [`${container}.image`],
  },
  {
    name: 'one more environment variable',
    edits: [[`${web}/env/-`, { name: 'DEBUG', value: '1' }]],
    user: [`${container}.env[DEBUG]`],
    serviceAccount: [],
  },
  {
    name: 'another value of an environment variable of the chart, which would be equal as a quantity',
    edits: [[`${web}/env/0/value`, '1000m']],
    user: [`${container}.env[MODE].value`],
    serviceAccount: [`${container}.env[MODE].value`],
  },
  {
    name: 'an environment variable of the chart removed',
    edits: [[`${web}/env/0`]],
    user: [`${container}.env[MODE]`],
    serviceAccount: [`${container}.env[MODE]`],
  },
  {
    name: 'all environment variables removed, as one change',
    edits: [[`${web}/env`]],
    user: [`${container}.env`],
    serviceAccount: [`${container}.env`],
  },
  {
    name: 'another number of replicas',
    edits: [['/spec/replicas', 5]],
    user: ['spec.replicas'],
    serviceAccount: ['spec.replicas'],
  },
  {
    name: 'another number of replicas where the chart sets none, as for an autoscaler',
    document: withoutReplicas,
    edits: [['/spec/replicas', 5]],
    user: ['spec.replicas'],
    serviceAccount: [],
  },
  {
    name: 'another number of replicas where the chart has null',
    document: edit(chartDeployment, ['/spec/replicas', null]),
    edits: [['/spec/replicas', 5]],
    user: ['spec.replicas'],
    serviceAccount: [],
  },
  {
    name: 'a sidecar in front of the other containers',
    edits: [[`${pod}/containers`, [{ name: 'proxy', image: 'proxy:1' }, ...livePod().containers]]],
    user: ['spec.template.spec.containers[proxy]'],
    serviceAccount: [],
  },
  {
    name: 'the container of the chart removed',
    edits: [[`${pod}/containers`, [{ name: 'other', image: 'other:1' }]]],
    user: ['spec.template.spec.containers[web]', 'spec.template.spec.containers[other]'],
    serviceAccount: ['spec.template.spec.containers[web]'],
  },
  {
    name: 'another port beside those of the chart',
    edits: [[`${web}/ports/-`, { containerPort: 9090, protocol: 'TCP' }]],
    user: [`${container}.ports[9090/TCP]`],
    serviceAccount: [],
  },
  {
    name: 'a name for a port for which the chart sets neither name nor protocol',
    edits: [[`${web}/ports/0/name`, 'http']],
    user: [`${container}.ports[80/TCP].name`],
    serviceAccount: [],
  },
  {
    name: 'a port of the chart moved to UDP',
    edits: [[`${web}/ports/0/protocol`, 'UDP']],
    user: [`${container}.ports[80/TCP]`, `${container}.ports[80/UDP]`],
    serviceAccount: [`${container}.ports[80/TCP]`],
  },
  {
    name: 'another name for a port of the chart',
    edits: [[`${web}/ports/1/name`, 'domain']],
    user: [`${container}.ports[53/UDP].name`],
    serviceAccount: [`${container}.ports[53/UDP].name`],
  },
  {
    name: 'one more argument: the list is compared as a whole',
    edits: [[`${web}/args/-`, '--verbose']],
    user: [`${container}.args`],
    serviceAccount: [`${container}.args`],
  },
  {
    name: 'arguments in another order',
    edits: [[`${web}/args`, ['80', '--port']]],
    user: [`${container}.args`],
    serviceAccount: [`${container}.args`],
  },
  {
    name: 'ports in another order',
    edits: [[`${web}/ports`, livePod().ports.toReversed()]],
    user: [`${container}.ports`],
    serviceAccount: [],
  },
  {
    name: 'other limits',
    edits: [[`${web}/resources/limits/cpu`, '2']],
    user: [`${container}.resources.limits.cpu`],
    serviceAccount: [`${container}.resources.limits.cpu`],
  },
  {
    name: 'requests where the chart has an empty map',
    edits: [[`${web}/resources/requests`, { cpu: '100m' }]],
    user: [`${container}.resources.requests.cpu`],
    serviceAccount: [],
  },
  {
    name: 'a security context where the chart has null',
    edits: [[`${web}/securityContext`, { privileged: true }]],
    user: [`${container}.securityContext`],
    serviceAccount: [],
  },
  {
    name: 'an emptyDir of the chart made a hostPath',
    edits: [[`${pod}/volumes/0`, { name: 'tmp', hostPath: { path: '/' } }]],
    user: ['spec.template.spec.volumes[tmp].emptyDir', 'spec.template.spec.volumes[tmp].hostPath'],
    serviceAccount: ['spec.template.spec.volumes[tmp].emptyDir'],
  },
  {
    name: 'a default of the API server changed',
    edits: [[`${pod}/terminationGracePeriodSeconds`, 60]],
    user: ['spec.template.spec.terminationGracePeriodSeconds'],
    serviceAccount: [],
  },
  {
    name: 'the whole strategy replaced',
    edits: [['/spec/strategy', { type: 'Recreate' }]],
    user: ['spec.strategy.type', 'spec.strategy.rollingUpdate'],
    serviceAccount: [],
  },
  {
    name: 'kubectl rollout restart',
    edits: [[restartedAt, '2026-01-02T00:00:00Z']],
    user: [],
    serviceAccount: [],
  },
  {
    name: 'kubectl rollout restart a second time',
    before: edit(before, [restartedAt, '2026-01-02T00:00:00Z']),
    edits: [['/spec/template/metadata/annotations']],
    user: [],
    serviceAccount: [],
  },
  {
    name: 'another annotation of the pods, together with a restart',
    edits: [
      [restartedAt, '2026-01-02T00:00:00Z'],
      ['/spec/template/metadata/annotations/a.b~1c', 'x'],
    ],
    user: ['spec.template.metadata.annotations["a.b/c"]'],
    serviceAccount: [],
  },
  {
    name: 'labels and annotations that the chart does not set',
    edits: [
      ['/metadata/labels/tier', 'front'],
      ['/metadata/annotations/deployment.kubernetes.io~1revision', '2'],
    ],
    user: [],
    serviceAccount: [],
  },
  {
    name: 'an annotation of the chart changed',
    edits: [['/metadata/annotations/shop.example~1team', 'cart']],
    user: ['metadata.annotations["shop.example/team"]'],
    serviceAccount: ['metadata.annotations["shop.example/team"]'],
  },
  ...[
    ['labels', 'app.kubernetes.io/name'],
    ['labels', 'app.kubernetes.io/managed-by'],
    ['annotations', 'meta.helm.sh/release-name'],
    ['annotations', 'meta.helm.sh/release-namespace'],
    ['annotations', 'shop.example/team'],
  ].map(
    ([field, key = '']): Case => ({
      name: `the mark ${key} stripped`,
      edits: [[`/metadata/${field}/${key.replaceAll('/', '~1')}`]],
      user: [`metadata.${field}["${key}"]`],
      serviceAccount: [`metadata.${field}["${key}"]`],
    }),
  ),
  {
    name: 'all labels stripped at once',
    edits: [['/metadata/labels']],
    user: ['metadata.labels["app.kubernetes.io/name"]', 'metadata.labels["app.kubernetes.io/managed-by"]'],
    serviceAccount: ['metadata.labels["app.kubernetes.io/name"]', 'metadata.labels["app.kubernetes.io/managed-by"]'],
  },
  {
    name: 'a finalizer, and metadata that the API server writes',
    edits: [
      ['/metadata/finalizers', ['foregroundDeletion']],
      ['/metadata/deletionTimestamp', '2026-01-02T00:00:00Z'],
      ['/metadata/deletionGracePeriodSeconds', 0],
      ['/metadata/resourceVersion', '11'],
      ['/metadata/generation', 2],
      ['/status/replicas', 3],
    ],
    user: [],
    serviceAccount: [],
  },
  {
    name: 'an owner, with whom the garbage collector deletes the object',
    edits: [['/metadata/ownerReferences', [{ kind: 'Pod', name: 'x', uid: '1' }]]],
    user: ['metadata.ownerReferences'],
    serviceAccount: [],
  },
  {
    name: 'the annotation that rolls a Deployment back',
    edits: [['/metadata/annotations/deprecated.deployment.rollback.to', '1']],
    user: ['metadata.annotations["deprecated.deployment.rollback.to"]'],
    serviceAccount: ['metadata.annotations["deprecated.deployment.rollback.to"]'],
  },
  {
    name: 'the annotations in which autoscaling/v1 stores fields of autoscaling/v2',
    edits: [
      ['/metadata/annotations/autoscaling.alpha.kubernetes.io~1metrics', '[]'],
      ['/metadata/annotations/autoscaling.alpha.kubernetes.io~1behavior', '{}'],
      ['/metadata/annotations/autoscaling.alpha.kubernetes.io~1conditions', '[]'],
    ],
    user: [
      'metadata.annotations["autoscaling.alpha.kubernetes.io/metrics"]',
      'metadata.annotations["autoscaling.alpha.kubernetes.io/behavior"]',
    ],
    serviceAccount: [
      'metadata.annotations["autoscaling.alpha.kubernetes.io/metrics"]',
      'metadata.annotations["autoscaling.alpha.kubernetes.io/behavior"]',
    ],
  },
  { name: 'managedFields erased', edits: [['/metadata/managedFields', [{}]]], user: [], serviceAccount: [] },
  {
    name: 'managedFields erased together with a change',
    edits: [
      ['/metadata/managedFields', [{}]],
      [`${web}/ports/0/name`, 'http'],
      [`${web}/image`, 'web:2'],
    ],
    user: [`${container}.image`, `${container}.ports[80/TCP].name`],
    serviceAccount: [`${container}.image`],
  },
  {
    name: 'a sidecar after managedFields were erased',
    before: edit(before, ['/metadata/managedFields', [{}]]),
    edits: [[`${pod}/containers/-`, { name: 'proxy', image: 'proxy:1' }]],
    user: ['spec.template.spec.containers[proxy]'],
    serviceAccount: [],
  },
  {
    name: 'a port without a name after managedFields were erased: the list is compared as a whole',
    before: edit(before, ['/metadata/managedFields', [{}]]),
    edits: [[`${web}/ports/0/containerPort`, 81]],
    user: [`${container}.ports`],
    serviceAccount: [`${container}.ports`],
  },
  {
    name: 'a name for a port after managedFields were erased: a service account fills in what the chart leaves out',
    before: edit(before, ['/metadata/managedFields', [{}]]),
    edits: [[`${web}/ports/0/name`, 'http']],
    user: [`${container}.ports`],
    serviceAccount: [],
  },
  {
    name: 'limits, image, arguments and container port brought back to those of the chart',
    before: edit(
      before,
      [`${web}/resources/limits/cpu`, '2'],
      [`${web}/image`, 'web:2'],
      [`${web}/args`, ['x']],
      [`${web}/ports/0`],
      ['/metadata/labels/app.kubernetes.io~1managed-by'],
    ),
    edits: [
      [`${web}/resources/limits/cpu`, '1'],
      [`${web}/image`, 'web:1'],
      [`${web}/args`, ['--port', '80']],
      [`${web}/ports`, livePod().ports],
      ['/metadata/labels/app.kubernetes.io~1managed-by', 'Helm'],
    ],
    user: [],
    serviceAccount: [],
  },
  {
    name: 'the container of the chart brought back, with the defaults of the API server',
    before: edit(before, [`${pod}/containers`, [{ name: 'other', image: 'other:1' }]]),
    edits: [[`${pod}/containers/-`, livePod().containers[0]]],
    user: [],
    serviceAccount: [],
  },
];

for (const { name, edits, user, serviceAccount, ...given } of cases) {
  const old = given.before ?? before;
  const document = given.document ?? chartDeployment;
  test(`${name}: a person`, () => {
    assert.deepEqual(new Set(paths('user', document, old, edit(old, ...edits))), new Set(user));
  });
  test(`${name}: a service account`, () => {
    assert.deepEqual(new Set(paths('serviceAccount', document, old, edit(old, ...edits))), new Set(serviceAccount));
  });
}

test('a change has its path, its old value and its new value', () => {
  const sidecar = { name: 'proxy', image: 'proxy:1' };
  const moved = edit(
    before,
    [`${pod}/containers`, [sidecar, ...livePod().containers]],
    [`${pod}/containers/1/image`, 'web:2'],
  );
  assert.deepEqual(drift('serviceAccount', chartDeployment, before, moved), [
    {
      path: `${container}.image`,
      pointer: `${pod}/containers/1/image`,
      before: 'web:1',
      after: 'web:2',
      secret: false,
    },
  ]);
  assert.deepEqual(drift('serviceAccount', chartDeployment, moved, edit(moved, [`${pod}/containers/1/args`])), [
    {
      path: `${container}.args`,
      pointer: `${pod}/containers/1/args`,
      before: ['--port', '80'],
      after: undefined,
      secret: false,
    },
  ]);
});

test('ignored paths are no drift', () => {
  const cases: readonly (readonly [ignore: string, ...edits: [string, unknown?][]])[] = [
    ['/spec/replicas', ['/spec/replicas', 5]],
    ['/spec', ['/spec/replicas', 5], [`${web}/image`, 'web:2']],
    [`${web}/image`, [`${web}/image`, 'web:2']],
    ['/spec/template/spec/containers/*/image', [`${web}/image`, 'web:2']],
    ['/spec/template/spec/*', [`${web}/image`, 'web:2'], [`${pod}/dnsPolicy`, 'Default']],
    ['/metadata/annotations/shop.example~1team', ['/metadata/annotations/shop.example~1team', 'cart']],
    ['/metadata/annotations/shop.example~1team', ['/metadata/annotations/shop.example~1team']],
    [`${web}/args/1`, [`${web}/args/1`, '81']],
    ['/spec/template/spec/affinity/x', [`${pod}/affinity`, { x: 1 }]],
    ['', ['/spec/replicas', 5], ['/metadata/labels']],
  ];
  for (const [ignore, ...edits] of cases) {
    for (const subject of ['user', 'serviceAccount'] as const) {
      assert.deepEqual(
        paths(subject, chartDeployment, before, edit(before, ...edits), { ignore: [ignore] }),
        [],
        ignore,
      );
    }
  }
  const both = edit(before, ['/spec/replicas', 5], [`${web}/image`, 'web:2']);
  assert.deepEqual(paths('user', chartDeployment, before, both, { ignore: ['/spec/replicas', 'spec'] }), [
    `${container}.image`,
  ]);
  assert.deepEqual(
    paths('user', chartDeployment, before, edit(before, [`${pod}/affinity`, { x: 1, y: 2 }]), {
      ignore: [`${pod}/affinity/x`],
    }),
    ['spec.template.spec.affinity.y'],
  );
});
