// Longer than 200 lines: one table of what controllers write.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { presetFiles } from '../../../packaging/preset-files.ts';
import { addToDrift, readAccount } from '../../../src/cli/policy/preset/apply.ts';
import { allowRulesOf } from '../../../src/cli/policy/preset/show.ts';
import { createInstalledPresets } from '../../../src/facts/installed-presets.ts';
import type { ObjectRef } from '../../../src/kubernetes/object.ts';
import { leftPathsFor, leftPathsOf, NOTHING_MORE } from '../../../src/policy/left-paths.ts';
import { parsePolicy } from '../../../src/policy/parse-policy.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { PRESETS } from '../../../src/policy/presets/presets.ts';
import { findResembling } from '../../../src/policy/presets/resembling.ts';
import { asInstalled, drift, edit, type Json } from '../rules/drift/fixtures.ts';

/** The writes of controllers, as their source has them, and a neighbour of each that the preset does not leave to them. */

interface Row {
  readonly preset: string;
  readonly by: string;
  readonly document: Json;
  readonly write: readonly (readonly [pointer: string, value?: unknown])[];
  readonly neighbour: readonly [pointer: string, value?: unknown];
}

const object = (apiVersion: string, kind: string, spec: Json, metadata: Json = {}): Json => ({
  apiVersion,
  kind,
  metadata: { name: 'web', ...metadata },
  spec,
});
const workload = (kind: string): Json =>
  object('apps/v1', kind, { replicas: 2, template: { spec: { containers: [{ name: 'web', image: 'web:1' }] } } });
const IMAGE = ['/spec/template/spec/containers/0/image', 'evil'] as const;
const scaled = (preset: string, by: string, kind: string): Row => ({
  preset,
  by,
  document: workload(kind),
  write: [['/spec/replicas', 0]],
  neighbour: IMAGE,
});
const replicated = (preset: string, by: string, apiVersion: string, kind: string): Row => ({
  preset,
  by,
  document: object(apiVersion, kind, { replicas: 2, template: { image: 'web:1' } }),
  write: [['/spec/replicas', 5]],
  neighbour: ['/spec/template/image', 'evil'],
});
const weights = (preset: string, by: string): Row => ({
  preset,
  by,
  document: object('gateway.networking.k8s.io/v1', 'HTTPRoute', {
    rules: [
      {
        backendRefs: [
          { name: 'stable', port: 80, weight: 100 },
          { name: 'canary', port: 80, weight: 0 },
        ],
      },
    ],
  }),
  write: [
    ['/spec/rules/0/backendRefs/0/weight', 90],
    ['/spec/rules/0/backendRefs/1/weight', 10],
  ],
  neighbour: ['/spec/rules/0/backendRefs/0/name', 'evil'],
});
const cronJob = (preset: string, by: string): Row => ({
  preset,
  by,
  document: object('batch/v1', 'CronJob', { suspend: false, schedule: '0 * * * *' }),
  write: [['/spec/suspend', true]],
  neighbour: ['/spec/schedule', '* * * * *'],
});
const route = (kind: 'http' | 'tcp' | 'tls'): Row => ({
  preset: 'argo-rollouts',
  by: 'argo-rollouts:argo-rollouts',
  document: object('networking.istio.io/v1', 'VirtualService', {
    [kind]: [
      {
        route: [
          { destination: { host: 'stable' }, weight: 100 },
          { destination: { host: 'canary' }, weight: 0 },
        ],
      },
    ],
  }),
  write: [
    [`/spec/${kind}/0/route/0/weight`, 80],
    [`/spec/${kind}/0/route/1/weight`, 20],
  ],
  neighbour: [`/spec/${kind}/0/route/0/destination/host`, 'evil'],
});

const KEDA = 'keda:keda-operator';
const FLAGGER = 'flagger-system:flagger';
const ARGO = 'argo-rollouts:argo-rollouts';
const GREEN = 'kube-green:kube-green-controller-manager';
const DOWNSCALER = 'kube-downscaler:py-kube-downscaler';
const ALB = 'alb.ingress.kubernetes.io/actions.web';

const ROWS: readonly Row[] = [
  scaled('keda', KEDA, 'Deployment'),
  scaled('keda', KEDA, 'StatefulSet'),
  replicated('keda', KEDA, 'example.com/v1', 'Widget'),
  scaled('flagger', FLAGGER, 'Deployment'),
  scaled('flagger', 'istio-system:flagger', 'Deployment'),
  {
    preset: 'flagger',
    by: FLAGGER,
    document: object('v1', 'Service', { selector: { app: 'web' }, ports: [{ name: 'http', port: 80 }] }),
    write: [['/spec/selector/app', 'web-primary']],
    neighbour: ['/spec/ports/0/port', 81],
  },
  weights('flagger', FLAGGER),
  route('http'),
  route('tcp'),
  route('tls'),
  weights('argo-rollouts', ARGO),
  {
    preset: 'argo-rollouts',
    by: ARGO,
    document: object(
      'networking.k8s.io/v1',
      'Ingress',
      { ingressClassName: 'alb' },
      { annotations: { [ALB]: '{"Type":"forward"}', 'alb.ingress.kubernetes.io/scheme': 'internal' } },
    ),
    write: [[`/metadata/annotations/${ALB.replace('/', '~1')}`, '{"Type":"forward","ForwardConfig":{}}']],
    neighbour: ['/metadata/annotations/alb.ingress.kubernetes.io~1scheme', 'internet-facing'],
  },
  scaled('argo-rollouts', ARGO, 'Deployment'),
  {
    preset: 'cert-manager',
    by: 'cert-manager:cert-manager',
    document: object('networking.k8s.io/v1', 'Ingress', {
      rules: [{ host: 'a.example', http: { paths: [{ path: '/', pathType: 'Prefix' }] } }],
    }),
    write: [
      ['/spec/rules/0/http/paths/-', { path: '/.well-known/acme-challenge/x', pathType: 'ImplementationSpecific' }],
    ],
    neighbour: ['/spec/rules/0/host', 'evil.example'],
  },
  {
    preset: 'tigera',
    by: 'tigera-operator:tigera-operator',
    document: object('operator.tigera.io/v1', 'Installation', {
      variant: 'Calico',
      kubernetesProvider: 'None',
      calicoNetwork: { ipPools: [{ cidr: '10.0.0.0/16' }] },
    }),
    write: [
      ['/spec/kubernetesProvider', 'EKS'],
      ['/spec/calicoNetwork/ipPools/0/cidr', '10.1.0.0/16'],
    ],
    neighbour: ['/spec/variant', 'TigeraSecureEnterprise'],
  },
  {
    preset: 'ray',
    by: 'shop:web',
    document: object('ray.io/v1', 'RayCluster', {
      workerGroupSpecs: [
        { groupName: 'small', replicas: 1, maxReplicas: 3, scaleStrategy: { workersToDelete: ['none'] } },
      ],
    }),
    write: [
      ['/spec/workerGroupSpecs/0/replicas', 3],
      ['/spec/workerGroupSpecs/0/scaleStrategy', { workersToDelete: ['web-1'] }],
    ],
    neighbour: ['/spec/workerGroupSpecs/0/maxReplicas', 99],
  },
  {
    preset: 'ray',
    by: 'shop:head',
    document: object('ray.io/v1', 'RayCluster', {
      headGroupSpec: { template: { spec: { serviceAccountName: 'head' } } },
      workerGroupSpecs: [{ groupName: 'small', replicas: 1, maxReplicas: 3 }],
    }),
    write: [['/spec/workerGroupSpecs/0/replicas', 3]],
    neighbour: ['/spec/workerGroupSpecs/0/maxReplicas', 99],
  },
  {
    preset: 'velero',
    by: 'velero:velero',
    document: object('velero.io/v1', 'Schedule', { skipImmediately: true, schedule: '@daily' }),
    write: [['/spec/skipImmediately', false]],
    neighbour: ['/spec/schedule', '@yearly'],
  },
  {
    preset: 'velero',
    by: 'velero:velero',
    document: object('velero.io/v1', 'BackupStorageLocation', { default: false, provider: 'aws' }),
    write: [['/spec/default', true]],
    neighbour: ['/spec/provider', 'evil'],
  },
  replicated('agones', 'agones-system:agones-controller', 'agones.dev/v1', 'Fleet'),
  {
    preset: 'eck',
    by: 'elastic-system:elastic-operator',
    document: object('elasticsearch.k8s.elastic.co/v1', 'Elasticsearch', {
      version: '9.1.0',
      nodeSets: [{ name: 'hot', count: 3, config: { a: 1 } }],
    }),
    write: [['/spec/nodeSets/0/count', 5]],
    neighbour: ['/spec/nodeSets/0/config/a', 2],
  },
  replicated(
    'actions-runner-controller',
    'actions-runner-system:controller',
    'actions.summerwind.dev/v1alpha1',
    'RunnerDeployment',
  ),
  scaled('rollout-operator', 'shop:rollout-operator', 'StatefulSet'),
  scaled('kube-green', GREEN, 'Deployment'),
  scaled('kube-green', GREEN, 'StatefulSet'),
  cronJob('kube-green', GREEN),
  scaled('py-kube-downscaler', DOWNSCALER, 'Deployment'),
  scaled('py-kube-downscaler', DOWNSCALER, 'StatefulSet'),
  cronJob('py-kube-downscaler', DOWNSCALER),
  {
    preset: 'py-kube-downscaler',
    by: DOWNSCALER,
    document: object('autoscaling/v2', 'HorizontalPodAutoscaler', { minReplicas: 2, maxReplicas: 9 }),
    write: [['/spec/minReplicas', 1]],
    neighbour: ['/spec/maxReplicas', 99],
  },
  {
    preset: 'pvc-autoresizer',
    by: 'pvc-autoresizer:pvc-autoresizer-controller',
    document: object('v1', 'PersistentVolumeClaim', {
      storageClassName: 'fast',
      resources: { requests: { storage: '1Gi' } },
    }),
    write: [['/spec/resources/requests/storage', '2Gi']],
    neighbour: ['/spec/storageClassName', 'slow'],
  },
  {
    preset: 'kueue',
    by: 'kueue-system:kueue-controller-manager',
    document: object('batch/v1', 'Job', { suspend: true, parallelism: 1 }),
    write: [['/spec/suspend', false]],
    neighbour: ['/spec/parallelism', 9],
  },
  {
    preset: 'percona',
    by: 'shop:percona-xtradb-cluster-operator',
    document: object('pxc.percona.com/v1', 'PerconaXtraDBCluster', {
      pxc: { image: 'pxc:8.0.35', size: 3 },
      haproxy: { image: 'haproxy:2.8' },
    }),
    write: [
      ['/spec/pxc/image', 'pxc:8.0.36'],
      ['/spec/haproxy/image', 'haproxy:2.9'],
    ],
    neighbour: ['/spec/pxc/size', 1],
  },
];

const policyOf = (driftSpec: object): Policy['drift'] => {
  const parsed = parsePolicy({ metadata: { name: 'house' }, spec: { drift: driftSpec } }, { staleAfterMs: 600_000 });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.policy.drift;
};
const userOf = (account: string) => ({ username: `system:serviceaccount:${account}`, groups: [] });
const refOf = (document: Json): ObjectRef => {
  const [group = ''] = /^.*(?=\/)/.exec(document.apiVersion as string) ?? [];
  return { group, kind: document.kind as string, namespace: 'shop', name: 'web' };
};

/** The fields for which the write is refused to the service account. */
const refused = (
  policy: Policy['drift'],
  { document }: Row,
  by: string,
  write: Row['write'],
  { frozen = false, installed = NOTHING_MORE.installed } = {},
): number => {
  const before = asInstalled(document);
  const writer = { user: userOf(by), object: refOf(document), document };
  const ignore = leftPathsFor(policy, writer, { installed, autoscaled: false }, frozen);
  return drift('serviceAccount', document, before, edit(before, ...write), { ignore }).length;
};

for (const row of ROWS) {
  const { preset, by, document, write, neighbour } = row;
  describe(`${preset}, as ${by}, in a ${document.kind}`, () => {
    const policy = policyOf({ presets: [preset] });
    const ask = (account: string, writes: Row['write'], more = {}) => refused(policy, row, account, writes, more) > 0;

    test('is refused without its preset', () => assert.ok(refused(policyOf({}), row, by, write) > 0));
    test('writes its fields with it', () => assert.equal(ask(by, write), false));
    test('writes no neighbour of them', () => {
      assert.ok(ask(by, [neighbour]));
      assert.ok(ask(by, [...write, neighbour]));
    });
    test('writes nothing of a frozen release', () => assert.ok(ask(by, write, { frozen: true })));
    test('is nobody who only calls himself so', () => {
      const [, name = ''] = by.split(':');
      for (const other of [`evil:${name}`, `${by}-2`, `${by.replace(':', ':x')}`, 'shop:default'])
        if (other !== by) assert.ok(ask(other, write), other);
    });
    test('is proposed where it is refused', () => {
      const writer = { user: userOf(by), object: refOf(document), document };
      const pointers = write.map(([pointer]) => pointer);
      const found = findResembling(writer, pointers);
      assert.ok(found);
      assert.equal(found.account, undefined);
      assert.equal(findResembling({ ...writer, user: { username: 'dev', groups: [] } }, pointers), undefined);
    });
    test('is left its fields by the sweep, and no neighbour', () => {
      const before = asInstalled(document);
      const ignore = leftPathsOf(policy, refOf(document), NOTHING_MORE);
      const left = (...writes: Row['write']) =>
        drift('serviceAccount', document, before, edit(before, ...writes), { ignore }).length;
      assert.equal(left(...write), 0);
      assert.ok(left(neighbour) > 0);
    });
  });
}

test('each preset is in the table', () => {
  assert.deepEqual(new Set(ROWS.map(({ preset }) => preset)), new Set(PRESETS.map(({ name }) => name)));
});

describe('the preset that a refusal proposes', () => {
  const document = workload('Deployment');
  const writer = (username: string) => ({ user: { username, groups: [] }, object: refOf(document), document });

  test('names the account, where the controller runs elsewhere', () => {
    const found = findResembling(writer('system:serviceaccount:infra:keda-operator'), ['/spec/replicas']);
    assert.deepEqual(found, { name: 'keda', title: 'KEDA', account: 'infra:keda-operator' });
  });
  test('is none for another field', () => {
    assert.equal(findResembling(writer('system:serviceaccount:keda:keda-operator'), ['/spec/paused']), undefined);
  });
  test('is none for a name that is no service account’s', () => {
    for (const username of [
      'keda-operator',
      'system:serviceaccount:keda:keda-operator;id',
      'system:serviceaccount::keda',
    ])
      assert.equal(findResembling(writer(username), ['/spec/replicas']), undefined);
  });
});

describe('auto', () => {
  const [keda] = ROWS;
  const signal = new AbortController().signal;
  const kindsWith = (...kinds: readonly string[]) => ({
    find: async (group: string, _version: string, kind: string) => {
      if (kinds.includes('broken')) throw new Error('the API server does not answer');
      return kinds.includes(`${kind}.${group}`)
        ? ({ group, resource: '', namespaced: true, path: () => '' } as const)
        : undefined;
    },
  });
  const installedWith = (...kinds: readonly string[]) => createInstalledPresets(kindsWith(...kinds)).find(signal);

  test('stands for the controllers whose custom resources are installed', async () => {
    assert.ok(keda);
    const policy = policyOf({ presets: ['auto'] });
    const installed = await installedWith('ScaledObject.keda.sh', 'Rollout.argoproj.io');
    assert.deepEqual(
      installed.map(({ name }) => name),
      ['keda', 'argo-rollouts'],
    );
    assert.equal(refused(policy, keda, keda.by, keda.write, { installed }), 0);
    assert.ok(refused(policy, keda, keda.by, keda.write, { installed: await installedWith('Canary.flagger.app') }) > 0);
    assert.ok(refused(policyOf({}), keda, keda.by, keda.write, { installed }) > 0);
  });
  test('of a group that another program shares, only for the controller’s own kind', async () => {
    assert.deepEqual(await installedWith('Application.argoproj.io', 'Workflow.argoproj.io'), []);
  });
  test('is none where the API server does not say', async () => {
    assert.deepEqual(await installedWith('broken'), []);
  });
  test('leaves out what has no custom resource of its own, and newer images', () => {
    const out = PRESETS.filter(({ installedBy }) => installedBy === undefined).map(({ name }) => name);
    assert.deepEqual(out, ['rollout-operator', 'py-kube-downscaler', 'pvc-autoresizer', 'percona']);
  });
});

describe('a preset that is applied', () => {
  const keda = PRESETS[0];

  test('joins those that the policy names, once', () => {
    assert.deepEqual(addToDrift({}, 'keda', keda, undefined), { presets: ['keda'] });
    assert.deepEqual(addToDrift({ presets: ['eck'] }, 'keda', keda, undefined), { presets: ['eck', 'keda'] });
    assert.equal(addToDrift({ presets: ['keda'] }, 'keda', keda, undefined), undefined);
    assert.deepEqual(addToDrift({ presets: ['keda'] }, 'auto', undefined, undefined), { presets: ['keda', 'auto'] });
  });
  test('for another account is a rule of its own, that a policy can hold', () => {
    const subject = readAccount('infra:keda-operator');
    const change = addToDrift({}, 'keda', keda, subject);
    assert.deepEqual(change, { allow: [{ subjects: [subject], group: '*', kind: '*', paths: ['/spec/replicas'] }] });
    assert.equal(addToDrift(change ?? {}, 'keda', keda, subject), undefined);
    const [row] = ROWS;
    assert.ok(row);
    const policy = policyOf(change ?? {});
    assert.equal(refused(policy, row, 'infra:keda-operator', row.write), 0);
    assert.ok(refused(policy, row, 'keda:keda-operator', row.write) > 0);
  });
  test('for an account that is none is refused', () => {
    for (const text of ['keda', 'a:b:c', 'keda:', ':keda', 'keda:x y'])
      assert.throws(() => readAccount(text), /--account/);
  });
});

test('each preset is shown in words that a policy can hold, where it names its accounts', () => {
  for (const preset of PRESETS.filter(({ accounts }) => accounts.every(({ namespace }) => namespace !== undefined)))
    policyOf({ allow: allowRulesOf(preset) });
});

test('the files in manifests/ are those that the source makes', async () => {
  for (const [path, text] of Object.entries(presetFiles()))
    assert.equal(
      await readFile(new URL(`../../../${path}`, import.meta.url), 'utf8'),
      text,
      `${path}: run make generate`,
    );
});

test('each file is a patch that adds its preset to a policy', () => {
  for (const [path, text] of Object.entries(presetFiles())) {
    if (path.endsWith('kustomization.yaml')) continue;
    const [step] = parse(text) as [{ op: string; path: string; value: string }];
    assert.deepEqual([step.op, step.path], ['add', '/spec/drift/presets/-']);
    policyOf({ presets: [step.value] });
  }
});
