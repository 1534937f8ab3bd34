// Longer than 200 lines: one table of changes of other kinds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asInstalled, drift, edit, type Json, paths } from './fixtures.ts';

const object = (apiVersion: string, kind: string, more: Json): Json => ({
  apiVersion,
  kind,
  metadata: { name: 'web' },
  ...more,
});
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Case {
  readonly name: string;
  readonly document: Json;
  readonly live?: Json;
  readonly edits: readonly (readonly [pointer: string, value?: unknown])[];
  readonly user: readonly string[];
  readonly serviceAccount: readonly string[];
}

const configMap = object('v1', 'ConfigMap', { data: { 'app.conf': 'a', limits: '1' }, binaryData: { logo: 'AA\nAA' } });
const secret = object('v1', 'Secret', { data: { user: 'YQ==\n' }, stringData: { password: 'hunter2' } });
const liveSecret = { stringData: undefined, data: { user: 'YQ==', password: base64('hunter2') }, type: 'Opaque' };
const role = object('rbac.authorization.k8s.io/v1', 'ClusterRole', {
  rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
});
const aggregated = object('rbac.authorization.k8s.io/v1', 'ClusterRole', {
  aggregationRule: { clusterRoleSelectors: [] },
  rules: [],
});
const rule = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] };
const webhooks = (kind: string): Json =>
  object('admissionregistration.k8s.io/v1', kind, {
    webhooks: [{ name: 'a.example', clientConfig: { service: { name: 'web' } }, rules: [{ resources: ['pods'] }] }],
  });
const service = object('v1', 'Service', {
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
});
const liveService = {
  spec: {
    selector: { app: 'web' },
    clusterIP: '10.0.0.1',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 'http' }],
  },
  metadata: {
    managedFields: [
      {
        manager: 'helm',
        fieldsV1: { 'f:spec': { 'f:ports': { '.': {}, 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } } },
      },
    ],
  },
};
const ingress = object('networking.k8s.io/v1', 'Ingress', {
  spec: { rules: [{ host: 'shop.example', http: { paths: [{ path: '/', pathType: 'Prefix' }] } }] },
});
const claim = object('v1', 'PersistentVolumeClaim', { spec: { resources: { requests: { storage: '1Gi' } } } });
const queue = object('queue.example/v1', 'Queue', {
  spec: {
    paused: false,
    labels: {},
    timeout: '5m',
    resources: { limits: { cpu: 0.5 } },
    topics: [{ name: 'orders', partitions: 3 }],
    hosts: ['a', 'b'],
    weights: [{ weight: 1 }, { weight: 2 }],
  },
});
const setOfHosts = {
  metadata: { managedFields: [{ fieldsV1: { 'f:spec': { 'f:hosts': { 'v:"a"': {}, 'v:"b"': {} } } } }] },
};

const both = (findings: readonly string[]) => ({ user: findings, serviceAccount: findings });

const cases: readonly Case[] = [
  {
    name: 'ConfigMap: a key changed',
    document: configMap,
    edits: [['/data/app.conf', 'b']],
    ...both(['data["app.conf"]']),
  },
  {
    name: 'ConfigMap: text that only looks like a quantity',
    document: configMap,
    edits: [['/data/limits', '1000m']],
    ...both(['data.limits']),
  },
  {
    name: 'ConfigMap: a key added',
    document: configMap,
    edits: [['/data/more', 'b']],
    user: ['data.more'],
    serviceAccount: [],
  },
  { name: 'ConfigMap: data emptied', document: configMap, edits: [['/data']], ...both(['data']) },
  {
    name: 'ConfigMap: binary data changed',
    document: configMap,
    edits: [['/binaryData/logo', 'BBBB']],
    ...both(['binaryData.logo']),
  },
  {
    name: 'ConfigMap: made immutable',
    document: configMap,
    edits: [['/immutable', true]],
    user: ['immutable'],
    serviceAccount: [],
  },
  { name: 'Secret: nothing', document: secret, live: liveSecret, edits: [], ...both([]) },
  {
    name: 'Secret: the text of the chart as data',
    document: secret,
    live: liveSecret,
    edits: [['/data/password', 'eA==']],
    ...both(['data.password']),
  },
  {
    name: 'Secret: wrapped base64 of the chart as one line',
    document: secret,
    live: liveSecret,
    edits: [['/data/user', 'eA==']],
    ...both(['data.user']),
  },
  {
    name: 'Secret: brought back',
    document: secret,
    live: { ...liveSecret, data: { user: 'eA==' } },
    edits: [['/data', { user: 'YQ==', password: base64('hunter2') }]],
    ...both([]),
  },
  { name: 'ClusterRole: rules widened', document: role, edits: [['/rules/-', rule]], ...both(['rules']) },
  {
    name: 'ClusterRole: rules filled in by the aggregation controller',
    document: aggregated,
    edits: [['/rules/-', rule]],
    ...both([]),
  },
  {
    name: 'ClusterRole: rules filled in where only the live object has an aggregation rule',
    document: role,
    live: { aggregationRule: { clusterRoleSelectors: [] } },
    edits: [['/rules/-', rule]],
    ...both([]),
  },
  {
    name: 'ClusterRole: an aggregation rule and rules in the same write',
    document: role,
    edits: [
      ['/rules/-', rule],
      ['/aggregationRule', { clusterRoleSelectors: [] }],
    ],
    user: ['rules', 'aggregationRule'],
    serviceAccount: ['rules'],
  },
  ...['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'].map(
    (kind): Case => ({
      name: `${kind}: caBundle injected, though the chart may set another`,
      document: edit(webhooks(kind), ['/webhooks/0/clientConfig/caBundle', 'Cg==']),
      edits: [['/webhooks/0/clientConfig/caBundle', 'QUJD']],
      ...both([]),
    }),
  ),
  {
    name: 'ValidatingWebhookConfiguration: rules changed together with the caBundle',
    document: webhooks('ValidatingWebhookConfiguration'),
    edits: [
      ['/webhooks/0/clientConfig/caBundle', 'QUJD'],
      ['/webhooks/0/rules/0/resources', ['nodes']],
    ],
    ...both(['webhooks["a.example"].rules'.replace('["a.example"]', '[a.example]')]),
  },
  {
    name: 'CustomResourceDefinition: caBundle of its conversion',
    document: object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
      spec: { conversion: { strategy: 'Webhook' } },
    }),
    edits: [['/spec/conversion/webhook/clientConfig/caBundle', 'QUJD']],
    ...both([]),
  },
  {
    name: 'APIService: caBundle',
    document: object('apiregistration.k8s.io/v1', 'APIService', { spec: { service: { name: 'web' } } }),
    edits: [['/spec/caBundle', 'QUJD']],
    ...both([]),
  },
  {
    name: 'a caBundle of another kind, which is a field like any other',
    document: queue,
    edits: [['/spec/caBundle', 'QUJD']],
    user: ['spec.caBundle'],
    serviceAccount: [],
  },
  {
    name: 'Service: a node port filled in',
    document: service,
    live: liveService,
    edits: [['/spec/ports/0/nodePort', 30080]],
    user: ['spec.ports[80/TCP].nodePort'],
    serviceAccount: [],
  },
  {
    name: 'Service: another port in place of the port of the chart',
    document: service,
    live: liveService,
    edits: [['/spec/ports/0/port', 81]],
    user: ['spec.ports[80/TCP]', 'spec.ports[81/TCP]'],
    serviceAccount: ['spec.ports[80/TCP]'],
  },
  {
    name: 'Service: a selector key added',
    document: service,
    live: liveService,
    edits: [['/spec/selector/track', 'blue']],
    user: ['spec.selector.track'],
    serviceAccount: [],
  },
  {
    name: 'Ingress: a path',
    document: ingress,
    edits: [['/spec/rules/0/http/paths/0/path', '/x']],
    ...both(['spec.rules']),
  },
  {
    name: 'Ingress: a class filled in',
    document: ingress,
    edits: [['/spec/ingressClassName', 'nginx']],
    user: ['spec.ingressClassName'],
    serviceAccount: [],
  },
  {
    name: 'Ingress: rules brought back with a field that the chart does not set',
    document: ingress,
    live: { spec: { rules: [{ host: 'evil.example' }] } },
    edits: [
      ['/spec/rules', [{ host: 'shop.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend: {} }] } }]],
    ],
    user: ['spec.rules'],
    serviceAccount: [],
  },
  {
    name: 'Ingress: rules brought back exactly',
    document: ingress,
    live: { spec: { rules: [{ host: 'evil.example' }] } },
    edits: [['/spec/rules', [{ host: 'shop.example', http: { paths: [{ path: '/', pathType: 'Prefix' }] } }]]],
    ...both([]),
  },
  {
    name: 'PersistentVolumeClaim: bound',
    document: claim,
    edits: [['/spec/volumeName', 'pv-1']],
    user: ['spec.volumeName'],
    serviceAccount: [],
  },
  {
    name: 'PersistentVolumeClaim: grown, and brought back in another unit',
    document: claim,
    live: { spec: { resources: { requests: { storage: '2Gi' } } } },
    edits: [['/spec/resources/requests/storage', '1024Mi']],
    ...both([]),
  },
  {
    name: 'custom resource: a field of the chart',
    document: queue,
    edits: [['/spec/paused', true]],
    ...both(['spec.paused']),
  },
  {
    name: 'custom resource: a field of an item with a name',
    document: queue,
    edits: [['/spec/topics/0/partitions', 9]],
    ...both(['spec.topics[orders].partitions']),
  },
  {
    name: 'custom resource: one more item',
    document: queue,
    edits: [['/spec/topics/-', { name: 'x' }]],
    user: ['spec.topics[x]'],
    serviceAccount: [],
  },
  {
    name: 'custom resource: a list whose items have no identity, compared as a whole',
    document: queue,
    edits: [['/spec/weights/-', { weight: 3 }]],
    ...both(['spec.weights']),
  },
  {
    name: 'custom resource: a list of values, compared as a whole',
    document: queue,
    edits: [['/spec/hosts/-', 'c']],
    ...both(['spec.hosts']),
  },
  {
    name: 'custom resource: one more item in a set',
    document: queue,
    live: setOfHosts,
    edits: [['/spec/hosts/-', 'c']],
    user: ['spec.hosts[c]'],
    serviceAccount: [],
  },
  {
    name: 'custom resource: a set in another order',
    document: queue,
    live: setOfHosts,
    edits: [['/spec/hosts', ['b', 'a']]],
    ...both([]),
  },
  {
    name: 'custom resource: an item of the chart removed from a set',
    document: queue,
    live: setOfHosts,
    edits: [['/spec/hosts', ['b', 'c']]],
    user: ['spec.hosts[a]', 'spec.hosts[c]'],
    serviceAccount: ['spec.hosts[a]'],
  },
  {
    name: 'custom resource: written by an operator from Go types',
    document: queue,
    edits: [['/spec/paused'], ['/spec/labels'], ['/spec/timeout', '5m0s'], ['/spec/resources/limits/cpu', '500m']],
    user: ['spec.paused', 'spec.labels'],
    serviceAccount: [],
  },
  {
    name: 'a built-in object: false removed',
    document: object('v1', 'ServiceAccount', { automountServiceAccountToken: false }),
    edits: [['/automountServiceAccountToken']],
    ...both(['automountServiceAccountToken']),
  },
  {
    name: 'HorizontalPodAutoscaler in another version than that of the chart',
    document: object('autoscaling/v1', 'HorizontalPodAutoscaler', {
      spec: { maxReplicas: 3, targetCPUUtilizationPercentage: 80 },
    }),
    live: { apiVersion: 'autoscaling/v2', spec: { maxReplicas: 3, metrics: [{ type: 'Resource', target: 80 }] } },
    edits: [
      ['/spec/maxReplicas', 9],
      ['/spec/metrics/0/target', 10],
    ],
    user: ['spec.maxReplicas', 'spec.metrics'],
    serviceAccount: ['spec.maxReplicas'],
  },
];

for (const { name, document, live, edits, user, serviceAccount } of cases) {
  const before = JSON.parse(JSON.stringify(asInstalled(document, live)));
  test(`${name}: a person`, () => {
    assert.deepEqual(new Set(paths('user', document, before, edit(before, ...edits))), new Set(user));
  });
  test(`${name}: a service account`, () => {
    assert.deepEqual(
      new Set(paths('serviceAccount', document, before, edit(before, ...edits))),
      new Set(serviceAccount),
    );
  });
}

test('values of a Secret are marked as secret, and values of other kinds are not', () => {
  const before = asInstalled(secret, liveSecret);
  const applied = 'kubectl.kubernetes.io/last-applied-configuration';
  const charted = edit(secret, [`/metadata/annotations/${applied.replace('/', '~1')}`, '{}']);
  const after = edit(
    before,
    ['/data/password', 'eA=='],
    ['/data/new', 'eA=='],
    ['/type', 'x'],
    [`/metadata/annotations/${applied.replace('/', '~1')}`, '{"data":1}'],
  );
  assert.deepEqual(
    new Map(drift('user', charted, before, after).map(({ path, secret }) => [path, secret])),
    new Map([
      ['data.password', true],
      ['data.new', true],
      ['type', false],
      [`metadata.annotations["${applied}"]`, true],
    ]),
  );
  assert.equal(drift('user', secret, before, edit(before, ['/data']))[0]?.secret, true);
  const plain = asInstalled(configMap);
  assert.equal(drift('user', configMap, plain, edit(plain, ['/data/app.conf', 'b']))[0]?.secret, false);
});
