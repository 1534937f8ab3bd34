import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { chooseKubernetes } from './harness/kubernetes-versions.ts';
import { isSameProcess } from './harness/processes.ts';

const chart = {
  'Chart.yaml': 'apiVersion: v2\nname: tiny\nversion: 1.0.0\n',
  'templates/config.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  color: blue\n',
  'templates/hook.yaml': `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations: {helm.sh/hook: post-install, helm.sh/hook-delete-policy: hook-succeeded}
spec:
  template:
    metadata:
      annotations: {belay.dev.test/delay: 1s}
    spec:
      restartPolicy: Never
      containers: [{name: hook, image: hook}]
`,
};

describe('a control plane of our own', () => {
  let plane: ControlPlane;
  let chartDir: string;
  before(async () => {
    plane = await startControlPlane({ pods: true, quiet: true, ownCluster: true });
    chartDir = await mkdtemp(join(tmpdir(), 'belay-chart-'));
    await mkdir(join(chartDir, 'templates'));
    for (const [file, text] of Object.entries(chart)) await writeFile(join(chartDir, file), text);
  });
  after(async () => {
    await plane?.stop();
    await rm(chartDir, { recursive: true, force: true });
  });

  it('answers its administrator', async () => {
    const { code, stdout, stderr } = await plane.kubectl(['auth', 'can-i', '*', '*']);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'yes\n', stderr: '' });
  });

  it('runs the Kubernetes that BELAY_KUBERNETES names, with a kubectl of the same version', async () => {
    const { stdout } = await plane.kubectl(['version', '-o', 'json']);
    const { clientVersion, serverVersion } = JSON.parse(stdout) as Record<string, { gitVersion: string }>;
    const { version } = chooseKubernetes();
    assert.deepEqual([clientVersion?.gitVersion, serverVersion?.gitVersion], [version, version]);
  });

  it('refuses a user without rights, and lets one with rights', async () => {
    const asDev = await plane.user('dev', ['devs']);
    const refused = await plane.kubectl(['create', 'configmap', 'mine'], { as: asDev });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /User "dev" cannot create resource "configmaps"/);

    await plane.kubectl(['create', 'rolebinding', 'devs', '--clusterrole=edit', '--group=devs']);
    const allowed = await plane.kubectl(['create', 'configmap', 'mine'], { as: asDev });
    assert.equal(allowed.code, 0, allowed.stderr);
  });

  it('knows a service account by its token', async () => {
    await plane.kubectl(['create', 'serviceaccount', 'robot']);
    const asRobot = await plane.serviceAccountKubeconfig('default', 'robot');
    const { stdout } = await plane.kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], {
      as: asRobot,
    });
    assert.equal(stdout, 'system:serviceaccount:default:robot');
  });

  it('rolls out a Deployment', async () => {
    await plane.kubectl(['create', 'deployment', 'web', '--image=web:1', '--replicas=3']);
    const { code, stdout, stderr } = await plane.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    assert.equal(code, 0, stdout + stderr);
  });

  for (const helm of ['helm3', 'helm4'] as const) {
    it(`installs and uninstalls a chart with a hook by ${helm}`, async () => {
      const installed = await plane[helm](['install', `by-${helm}`, chartDir, '--wait', '--timeout=60s']);
      assert.equal(installed.code, 0, installed.stderr);
      const { stdout } = await plane.kubectl(['get', 'configmap', `by-${helm}`, '-o', 'jsonpath={.data.color}']);
      assert.equal(stdout, 'blue');
      const uninstalled = await plane[helm](['uninstall', `by-${helm}`]);
      assert.equal(uninstalled.code, 0, uninstalled.stderr);
    });
  }

  it('is read over a kept connection as kubectl reads it', async () => {
    const printed = async (...args: readonly string[]) => (await plane.kubectl(['get', ...args])).stdout;
    const parsed = async (...args: readonly string[]) => JSON.parse(await printed(...args, '-o', 'json')) as object;
    const rolesAndServices = await plane.api.list('clusterrole,svc', { namespace: 'default' });
    assert.deepEqual(rolesAndServices, ((await parsed('clusterrole,svc')) as { items: object[] }).items);
    const { api } = plane;
    const group = 'kubernetes.io/bootstrapping=rbac-defaults';
    assert.deepEqual(
      (await api.list('clusterroles.rbac.authorization.k8s.io', { labels: group })).map(
        ({ metadata }) => metadata?.name,
      ),
      (await printed('clusterrole', '-l', group, '-o', 'jsonpath={.items[*].metadata.name}')).split(' '),
    );
    for (const object of ['ConfigMap/kube-root-ca.crt', 'services/kubernetes', 'ns/default'])
      assert.deepEqual(await api.read(object), await parsed(object));
    for (const path of [
      '.spec.ports[0].port',
      '.spec.ports[*].name',
      '.spec.ports',
      ".metadata['name']",
      '.metadata.labels',
      '.spec.nothing.at.all',
    ])
      assert.equal(
        await api.field('service/kubernetes', path),
        await printed('service/kubernetes', '-o', `jsonpath={${path}}`),
      );
    const file = '.data.ca\\.crt';
    assert.equal(
      await api.field('cm/kube-root-ca.crt', file),
      await printed('cm/kube-root-ca.crt', '-o', `jsonpath={${file}}`),
    );
  });

  it('is read by each user with the rights of that user', async () => {
    const as = await plane.user('nobody');
    assert.equal(await plane.api.find('configmap/none'), undefined);
    await assert.rejects(plane.api.read('configmap/none'), { status: 404 });
    await assert.rejects(plane.api.find('configmap/kube-root-ca.crt', { as }), { status: 403 });
    await assert.rejects(plane.api.list('no-such-kind'), /no-such-kind/);
  });

  it('has a second one beside it', async () => {
    const other = await startControlPlane({ controllers: false, helm: [], quiet: true, ownCluster: true });
    try {
      const { code, stdout } = await other.kubectl(['get', 'configmap', 'kube-root-ca.crt', '--ignore-not-found']);
      assert.deepEqual({ code, stdout }, { code: 0, stdout: '' });
    } finally {
      await other.stop();
    }
    assert.equal((await plane.kubectl(['get', '--raw', '/readyz'])).stdout, 'ok');
  });

  it('is read again over a new connection when the API server was started anew', async () => {
    const before = await plane.api.read('namespace/default');
    await plane.interrupt('kube-apiserver');
    assert.deepEqual(await plane.api.read('namespace/default'), before);
  });

  it('leaves no process and no file when it is stopped', async () => {
    const { processes, dir } = plane;
    assert.deepEqual(processes.map(({ name }) => name).sort(), [
      'etcd',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'kwok',
    ]);
    assert.ok(processes.every(isSameProcess));
    await plane.stop();
    assert.deepEqual(processes.filter(isSameProcess), []);
    assert.throws(() => readdirSync(dir), { code: 'ENOENT' });
  });
});
