import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import {
  type CommandOptions,
  type CommandResult,
  type ControlPlane,
  startControlPlane,
} from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import {
  editPayload,
  HELMS,
  type Helm,
  historyOf,
  inBackground,
  isDenied,
  makeNamespace,
  readRecord,
  SHOP,
  succeeds,
  waitForStatus,
} from './support/asking.ts';

/** Everybody else who writes to what Helm manages - Kubernetes' controllers, operators, injectors, Flux - goes on as ever. */

const EVERYTHING = join(import.meta.dirname, '..', 'charts', 'everything');

/** Short, so that a release left behind by a killed process need not be waited for. */
const STALE_AFTER_SECONDS = 15;

let plane: ControlPlane;

before(async () => {
  const staleAfter = `${STALE_AFTER_SECONDS}s`;
  plane = await startControlPlane({ pods: true, quiet: true, belay: { replicas: 1, staleAfter } });
  // For the last test: until then a minute has passed.
  const everyMinute = ['--set', 'storage=false,hooks=false,schedule=* * * * *'];
  succeeds(await plane.helm4(['install', 'cron', EVERYTHING, '-n', 'cron', '--create-namespace', ...everyMinute]));
});
after(() => plane?.stop());

/** How many writes Belay has refused so far, as the API server counts them. */
const countRefusals = async (): Promise<number> => {
  const metrics = await plane.api.text('/metrics');
  return metrics
    .split('\n')
    .filter((line) => line.startsWith('apiserver_admission_webhook_rejection_count{') && line.includes('.belay.dev"'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

/** Runs something in which nothing at all may be refused, whoever does it. */
const nothingIsRefused = async (during: () => Promise<void>): Promise<void> => {
  const before = await countRefusals();
  await during();
  assert.equal(await countRefusals(), before, 'Belay has refused something');
};

/** Two volumes for the chart's two claims; no provisioner makes them here. */
const makeVolumes = async (storageClass: string): Promise<void> => {
  const items = [1, 2].map((number) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${storageClass}-${number}` },
    spec: {
      storageClassName: storageClass,
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/nowhere' },
    },
  }));
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  succeeds(await plane.kubectl(['create', '-f', '-'], { input }));
};

const grant = async (name: string, serviceAccount: string, rules: readonly object[]): Promise<void> => {
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name } };
  const [namespace = '', account = ''] = serviceAccount.split(':');
  const items = [
    { ...rbac, kind: 'ClusterRole', rules },
    {
      ...rbac,
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', namespace, name: account }],
    },
  ];
  succeeds(
    await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) }),
  );
};

const merge = (object: string, patch: object, ...more: readonly string[]): readonly string[] => [
  'patch',
  object,
  '--type=merge',
  '-p',
  JSON.stringify(patch),
  ...more,
];

for (const helm of HELMS) {
  describe(`with ${helm}`, () => {
    const namespace = `writers-${helm}`;
    const clusterScoped = `${namespace}-web`;
    // Over `rules: []` Helm 4 conflicts with the aggregation controller, whether Belay is there or not.
    const values = `emptyRules=${helm === 'helm3'}`;
    const run = (args: readonly string[], options?: CommandOptions) => plane[helm]([...args, '-n', namespace], options);
    const kubectl = (args: readonly string[], options?: CommandOptions) =>
      plane.kubectl([...args, '-n', namespace], options);
    const get = (object: string): Promise<KubernetesObject> => plane.api.read(object, { namespace });
    const field = (path: string, object: string): Promise<string> => plane.api.field(object, path, { namespace });
    const becomes = (path: string, expected: string | RegExp, object: string): Promise<string> =>
      waitUntil(`${path} of ${object} is ${expected}`, async () => {
        const value = await field(path, object);
        return (typeof expected === 'string' ? value === expected : expected.test(value)) ? value : undefined;
      });
    let operator: string;
    let injector: string;

    before(async () => {
      await makeNamespace(plane, namespace, { editors: ['dev'] });
      for (const name of ['operator', 'injector']) succeeds(await kubectl(['create', 'serviceaccount', name]));
      await grant(`${namespace}-operator`, `${namespace}:operator`, [
        { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      ]);
      await grant(`${namespace}-injector`, `${namespace}:injector`, [
        { apiGroups: ['admissionregistration.k8s.io', 'apiextensions.k8s.io'], resources: ['*'], verbs: ['*'] },
      ]);
      operator = await plane.serviceAccountKubeconfig(namespace, 'operator');
      injector = await plane.serviceAccountKubeconfig(namespace, 'injector');
      await makeVolumes(clusterScoped);
      await nothingIsRefused(async () => {
        succeeds(await run(['install', 'web', EVERYTHING, '--set', values]));
      });
    });

    test("Kubernetes' own controllers do their work", () =>
      nothingIsRefused(async () => {
        await becomes('.status.readyReplicas', '2', 'deployment/web');
        await becomes('.status.readyReplicas', '1', 'statefulset/web');
        await becomes('.status.numberReady', '1', 'daemonset/web');
        await becomes('.status.succeeded', '1', 'job/web-1');
        await becomes('.status.currentHealthy', '2', 'pdb/web');
        await becomes('.status.phase', 'Bound', 'pvc/web');
        // The binder writes the claim itself, not only its status.
        assert.match(await field('.spec.volumeName', 'pvc/web'), new RegExp(`^${clusterScoped}-[12]$`));
        assert.match(await field('.metadata.annotations', 'pvc/web'), /pv\.kubernetes\.io\/bind-completed/);
        await becomes('.status.hard', /cpu/, 'resourcequota/web');
        await becomes('.rules[0].resources[0]', 'nodes', `clusterrole/${clusterScoped}-aggregated`);
      }));

    test('ReplicaSets and ControllerRevisions inherit the marks of ownership, and are nobody’s', () =>
      nothingIsRefused(async () => {
        for (const kind of ['replicaset', 'controllerrevision']) {
          const marks = await field('.items[*].metadata.annotations.meta\\.helm\\.sh/release-name', kind);
          assert.match(marks, /web/, kind);
        }
        succeeds(await kubectl(['rollout', 'restart', 'deployment/web', 'statefulset/web', 'daemonset/web']));
        for (const object of ['deployment/web', 'statefulset/web', 'daemonset/web'])
          succeeds(await kubectl(['rollout', 'status', object, '--timeout=60s']));
        succeeds(await kubectl(['annotate', 'replicaset', '-l', 'app=web', 'note=mine']));
        succeeds(await kubectl(['delete', 'replicaset', '-l', 'app=web']));
        await becomes('.status.readyReplicas', '2', 'deployment/web');
      }));

    test('a load balancer controller writes finalizer, annotation and status of a Service', () =>
      nothingIsRefused(async () => {
        const as = { as: operator };
        const metadata = { finalizers: ['lb.test/cleanup'], annotations: { 'lb.test/id': '42' } };
        succeeds(await kubectl(merge('service/web', { metadata }), as));
        const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
        succeeds(await kubectl(merge('service/web', { status }, '--subresource=status'), as));
        succeeds(await kubectl(merge('ingress/web', { status }, '--subresource=status'), as));
        succeeds(await kubectl(merge('service/web', { metadata: { finalizers: null } }), as));
      }));

    test('an injector writes the caBundle of webhooks and CRDs, and no more', async () => {
      const as = { as: injector };
      const ca = Buffer.from(await field('.data.ca\\.crt', 'configmap/kube-root-ca.crt')).toString('base64');
      const webhook = `validatingwebhookconfiguration/${clusterScoped}`;
      const crd = `customresourcedefinition/${clusterScoped}-gadgets.shop.belay.test`;
      const into = (name: string, value: string): readonly string[] => [
        'patch',
        webhook,
        '--type=json',
        '-p',
        JSON.stringify([{ op: 'add', path: `/webhooks/0/${name}`, value }]),
      ];
      await nothingIsRefused(async () => {
        succeeds(await kubectl(into('clientConfig/caBundle', ca), as));
        const conversion = { webhook: { clientConfig: { caBundle: ca } } };
        succeeds(await kubectl(merge(crd, { spec: { conversion } }), as));
      });
      // The API server asks no webhook about webhook configurations: there is nothing that Belay could refuse.
      for (const policy of ['Fail', 'Ignore']) succeeds(await kubectl(into('failurePolicy', policy), as));
      isDenied(
        await kubectl(merge(crd, { spec: { conversion: { strategy: 'None', webhook: null } } }), as),
        'BelayDrift',
      );
    });

    test('an operator’s children carry the marks of its custom resource, and are the operator’s', () =>
      nothingIsRefused(async () => {
        const { metadata } = await get('widget/web');
        const child = {
          apiVersion: 'apps/v1',
          kind: 'StatefulSet',
          metadata: {
            name: 'widget-web',
            // As Prometheus Operator does: all of them.
            labels: metadata?.labels,
            annotations: metadata?.annotations,
            ownerReferences: [
              { apiVersion: 'shop.belay.test/v1', kind: 'Widget', name: 'web', uid: metadata?.uid, controller: true },
            ],
          },
          spec: {
            replicas: 1,
            serviceName: 'widget-web',
            selector: { matchLabels: { app: 'widget-web' } },
            template: {
              metadata: { labels: { app: 'widget-web' } },
              spec: { containers: [{ name: 'widget', image: 'widget:1' }] },
            },
          },
        };
        assert.equal(child.metadata.annotations?.['meta.helm.sh/release-name'], 'web');
        const as = { as: operator };
        const input = JSON.stringify(child);
        succeeds(await kubectl(['create', '-f', '-'], { ...as, input }));
        succeeds(await kubectl(['set', 'image', 'statefulset/widget-web', 'widget=widget:2'], as));
        succeeds(await kubectl(['scale', 'statefulset/widget-web', '--replicas=2'], as));
        succeeds(await kubectl(merge('widget/web', { status: { replicas: 2 } }, '--subresource=status'), as));
        succeeds(await kubectl(['delete', 'statefulset', 'widget-web'], as));
        succeeds(await kubectl(['create', '-f', '-'], { ...as, input }));
        succeeds(await kubectl(['delete', 'statefulset', 'widget-web'], as));
        // Into its own resource it writes back what Go makes of it.
        const spec = { interval: '5m0s', resources: { limits: { cpu: '1' } } };
        succeeds(await kubectl(merge('widget/web', { metadata: { finalizers: ['widget.test/hold'] }, spec }), as));
        // With Helm 4 that makes the next upgrade conflict, whether Belay is there or not; so back again.
        const written = { interval: '5m', resources: { limits: { cpu: '1000m' } } };
        succeeds(await kubectl(merge('widget/web', { metadata: { finalizers: null }, spec: written }), as));
      }));

    test('the garbage collector takes a governed object away with its owner, and Helm brings it back', () =>
      nothingIsRefused(async () => {
        succeeds(await kubectl(['create', 'configmap', 'owner']));
        const { metadata } = await get('configmap/owner');
        const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: metadata?.uid }];
        succeeds(await kubectl(merge('configmap/web-two', { metadata: { ownerReferences } }), { as: operator }));
        succeeds(await kubectl(['delete', 'configmap', 'owner']));
        succeeds(await kubectl(['wait', '--for=delete', 'configmap/web-two', '--timeout=60s']));
      }));

    test('objects that were rendered by Helm and applied by others (Argo CD) are free', () =>
      nothingIsRefused(async () => {
        const dev = await plane.user('dev');
        const rendered = (annotations: Record<string, string>) => ({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'argo', labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations },
          data: { a: '1' },
        });
        for (const annotations of [
          {},
          { 'argocd.argoproj.io/tracking-id': 'web:/ConfigMap:x/argo', 'meta.helm.sh/release-name': 'web' },
          { 'meta.helm.sh/release-name': 'unknown', 'meta.helm.sh/release-namespace': namespace },
        ]) {
          const input = JSON.stringify(rendered(annotations));
          succeeds(await kubectl(['create', '-f', '-'], { as: dev, input }));
          succeeds(await kubectl(merge('configmap/argo', { data: { a: '2' } }), { as: dev }));
          succeeds(await kubectl(['delete', 'configmap', 'argo'], { as: dev }));
        }
      }));

    test('the autoscaler scales what the chart left blank', () =>
      nothingIsRefused(async () => {
        await becomes('.spec.replicas', '2', 'deployment/web-auto');
        // And by its name alone, in one request, as it does.
        const scale = `/apis/apps/v1/namespaces/${namespace}/deployments/web-auto/scale`;
        const input = JSON.stringify({
          apiVersion: 'autoscaling/v1',
          kind: 'Scale',
          metadata: { name: 'web-auto', namespace },
          spec: { replicas: 4 },
        });
        const as = '--as=system:serviceaccount:kube-system:horizontal-pod-autoscaler';
        succeeds(await plane.kubectl(['replace', '--raw', scale, '-f', '-', as], { input }));
        await becomes('.status.readyReplicas', '4', 'deployment/web-auto');
      }));

    test('a chart of many kinds goes through upgrade, rollback and uninstall', () =>
      nothingIsRefused(async () => {
        // Helm 3 waits for the load balancer's address, which is there by now.
        const changed = `${values},image=nginx:1.28,greeting=hi,list={one,three},autoscaling.minReplicas=3`;
        succeeds(await run(['upgrade', 'web', EVERYTHING, '--wait', '--set', changed]));
        succeeds(await run(['rollback', 'web', '1']));
        assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 superseded, v3 deployed');
        succeeds(await run(['upgrade', 'web', EVERYTHING, '--set', `${values},password=other`]));
        succeeds(await run(['uninstall', 'web', '--wait']));
        assert.equal(await historyOf(plane, namespace, 'web'), '');
      }));
  });
}

test('a chart of many kinds, begun with Helm 3, goes on with Helm 4, and the other way round', () =>
  nothingIsRefused(async () => {
    const values = ['--set', 'storage=false,hooks=false'];
    const run = async (helm: Helm, args: readonly string[]) => succeeds(await plane[helm]([...args, '-n', 'mixed']));
    await run('helm3', ['install', 'mixed', EVERYTHING, '--create-namespace', ...values]);
    await run('helm4', ['upgrade', 'mixed', EVERYTHING, ...values, '--set', 'image=nginx:1.28']);
    await run('helm3', ['upgrade', 'mixed', EVERYTHING, ...values, '--set', 'greeting=hi']);
    await run('helm4', ['rollback', 'mixed', '1']);
    await run('helm3', ['uninstall', 'mixed']);
  }));

test('a namespace is deleted with a release of many kinds in it', () =>
  nothingIsRefused(async () => {
    succeeds(
      await plane.helm4(['install', 'web', EVERYTHING, '-n', 'goes', '--create-namespace', '--set', 'storage=false']),
    );
    succeeds(await plane.kubectl(['delete', 'namespace', 'goes', '--timeout=90s']));
  }));

describe('Flux', () => {
  const deployer = 'system:serviceaccount:flux-apps:deployer';
  let controller: string;
  const flux = (args: readonly string[], as = deployer): Promise<CommandResult> =>
    plane.helm4([...args, '-n', 'flux-apps', `--kube-as-user=${as}`], { as: controller });

  before(async () => {
    await makeNamespace(plane, 'flux-system', {});
    await makeNamespace(plane, 'flux-apps', { editors: [deployer], admins: ['ci'] });
    succeeds(await plane.kubectl(['create', 'serviceaccount', 'helm-controller', '-n', 'flux-system']));
    succeeds(await plane.kubectl(['create', 'serviceaccount', 'deployer', '-n', 'flux-apps']));
    await grant('flux-impersonation', 'flux-system:helm-controller', [
      { apiGroups: [''], resources: ['users', 'serviceaccounts'], verbs: ['impersonate'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['*'] },
    ]);
    controller = await plane.serviceAccountKubeconfig('flux-system', 'helm-controller');
  });

  test('runs operations as the service account that it impersonates', () =>
    nothingIsRefused(async () => {
      succeeds(await flux(['install', 'web', SHOP]));
      succeeds(await flux(['upgrade', 'web', SHOP, '--set', 'image=nginx:1.28']));
      succeeds(await flux(['rollback', 'web', '1']));
      // Drift correction: a dry run, then a write of what the chart says.
      succeeds(await flux(['upgrade', 'web', SHOP, '--dry-run=server']));
      succeeds(await flux(['uninstall', 'web']));
    }));

  test('marks a pending release of somebody else failed, but only once it is stale', async () => {
    const ci = await plane.user('ci');
    succeeds(await plane.helm4(['install', 'stuck', SHOP, '-n', 'flux-apps'], { as: ci }));
    const upgrade = ['upgrade', 'stuck', SHOP, '-n', 'flux-apps', '--set', 'hooks.preUpgradeDelay=60s'];
    const doomed = inBackground(plane, 'helm4', upgrade, { as: ci });
    await waitForStatus(plane, 'flux-apps', 'stuck', 'pending-upgrade');
    const name = 'sh.helm.release.v1.stuck.v2';
    const markFailed = async (): Promise<CommandResult> => {
      const record = await readRecord(plane, 'flux-apps', name);
      const release = editPayload(record.data.release, (payload) => {
        payload.info.status = 'failed';
        payload.info.description = 'Release unlocked from stale pending-upgrade state';
      });
      const labels = { ...record.metadata?.labels, status: 'failed' };
      const { resourceVersion: _resourceVersion, ...metadata } = record.metadata ?? {};
      const input = JSON.stringify({ ...record, metadata: { ...metadata, labels }, data: { release } });
      return plane.kubectl(['replace', '-f', '-', '-n', 'flux-apps'], { as: controller, input });
    };
    isDenied(await markFailed(), 'BelayOperationInFlight', /ci/);
    await doomed.kill();
    isDenied(await markFailed(), 'BelayOperationInFlight', /ci/);
    await sleep(STALE_AFTER_SECONDS * 1000);
    await waitUntil('it is stale', async () => (await markFailed()).code === 0 || undefined);
    assert.equal(await historyOf(plane, 'flux-apps', 'stuck'), 'v1 deployed, v2 failed');
    succeeds(await flux(['upgrade', 'stuck', SHOP]));
    assert.equal(await historyOf(plane, 'flux-apps', 'stuck'), 'v1 superseded, v2 failed, v3 deployed');
  });
});

for (const helm of HELMS) {
  test(`the records of ${helm} in the hands of nelm, of an operator, and of a restore`, async () => {
    const namespace = `clients-${helm}`;
    await makeNamespace(plane, namespace, { editors: ['ci'], admins: ['sre'] });
    const [ci, sre] = await Promise.all([plane.user('ci'), plane.user('sre')]);
    const run = (args: readonly string[]) => plane[helm]([...args, '-n', namespace], { as: ci });
    const name = (revision: number): string => `sh.helm.release.v1.web.v${revision}`;
    /** Stores the revision of another number and status, from the payload of the first one. */
    const store = async (
      verb: 'create' | 'replace',
      revision: number,
      status: string,
      ownerReferences: object[] = [],
    ) => {
      const record = await readRecord(plane, namespace, name(verb === 'create' ? 1 : revision));
      const release = editPayload(record.data.release, (payload) => {
        payload.info.status = status;
        Object.assign(payload, { version: revision });
      });
      const metadata = {
        name: name(revision),
        ownerReferences,
        labels: { owner: 'helm', name: 'web', version: String(revision), status },
      };
      const input = JSON.stringify({
        apiVersion: 'v1',
        kind: 'Secret',
        type: record.type,
        metadata,
        data: { release },
      });
      return plane.kubectl([verb, '-f', '-', '-n', namespace], { as: ci, input });
    };
    await nothingIsRefused(async () => {
      succeeds(await run(['install', 'web', SHOP]));
      // nelm: the new revision is deployed before the old one is superseded.
      succeeds(await store('create', 2, 'pending-upgrade'));
      succeeds(await store('replace', 2, 'deployed'));
      succeeds(await store('replace', 1, 'superseded'));
      // helm-operator: each record that it writes gets an owner, and Helm drops it again.
      succeeds(await plane.kubectl(['create', 'configmap', 'custom-resource', '-n', namespace]));
      const uid = await plane.api.field('configmap/custom-resource', '.metadata.uid', { namespace });
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'custom-resource', uid };
      succeeds(await store('create', 3, 'pending-upgrade', [owner]));
      succeeds(await store('replace', 2, 'superseded', [owner]));
      succeeds(await store('replace', 3, 'deployed', [owner]));
      succeeds(await run(['upgrade', 'web', SHOP, '--set', 'greeting=hi']));
      assert.equal(
        await historyOf(plane, namespace, 'web'),
        'v1 superseded, v2 superseded, v3 superseded, v4 deployed',
      );
      // A restore, of which a lock is over by now.
      const saved = succeeds(await plane.kubectl(['get', 'secret', '-n', namespace, '-l', 'owner=helm', '-o', 'json']));
      succeeds(await run(['uninstall', 'web']));
      const list = JSON.parse(saved) as { items: { metadata: Record<string, unknown> }[] };
      const items = list.items.map(({ metadata: { resourceVersion: _version, ...metadata }, ...rest }) => ({
        ...rest,
        metadata: {
          ...metadata,
          annotations: { 'belay.dev/freeze': 'last year', 'belay.dev/freeze-until': '2020-01-01T00:00:00Z' },
        },
      }));
      const input = JSON.stringify({ ...list, items: items.toReversed() });
      const restored = await plane.kubectl(['create', '-f', '-', '-n', namespace], { as: sre, input });
      succeeds(restored);
      assert.match(restored.stderr, /left out: the freeze ended at 2020/);
      succeeds(await run(['upgrade', 'web', SHOP, '--set', 'greeting=back']));
      assert.match(await historyOf(plane, namespace, 'web'), /v4 superseded, v5 deployed$/);
    });
  });
}

test('a CronJob makes its Jobs', () =>
  nothingIsRefused(async () => {
    const timeoutMs = 90_000;
    const lastTime = () => plane.api.field('cronjob/cron', '.status.lastScheduleTime', { namespace: 'cron' });
    await waitUntil('it was due', async () => (await lastTime()) || undefined, { timeoutMs });
    const jobs = await plane.api.list('job', { namespace: 'cron' });
    assert.ok(jobs.some(({ metadata }) => /^cron-\d{6,}$/.test(metadata?.name ?? '')));
    succeeds(await plane.kubectl(['create', 'job', 'by-hand', '--from=cronjob/cron', '-n', 'cron']));
    succeeds(await plane.kubectl(['wait', 'job/by-hand', '-n', 'cron', '--for=condition=Complete', '--timeout=60s']));
  }));
