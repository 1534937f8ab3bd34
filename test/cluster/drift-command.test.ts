import assert from 'node:assert/strict';
import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import { HELMS, makeNamespace, SHOP, succeeds, untouched } from './support/asking.ts';
import { runBelay } from './support/belay-command.ts';
import { leaderOf, metricsOf } from './support/sweeping.ts';

/** `belay drift`, and a sweep that may only read: what they show, and what they must never take for drift. */

const EVERYTHING = join(import.meta.dirname, '..', 'charts', 'everything');

let plane: ControlPlane;
let dev: string;

before(async () => {
  plane = await startControlPlane({ quiet: true, belay: { overlay: 'drift' } });
  dev = await plane.user('dev');
});
after(() => plane?.stop());

/** Behind Belay's back, as one of Kubernetes' own controllers, of which it is not asked. */
const behind = async (namespace: string, ...args: readonly string[]): Promise<void> => {
  const controller = ['--as=system:kube-controller-manager', '--as-group=system:masters'];
  succeeds(await plane.kubectl([...args, '-n', namespace, ...controller]));
};
const patch = (object: string, change: object): readonly string[] => [
  ...['patch', object, '--type=strategic', '-p', JSON.stringify(change), '--field-manager=somebody'],
];
const drift = (namespace: string, args: readonly string[] = [], as = plane.adminKubeconfig) =>
  runBelay(['drift', '-n', namespace, ...args], { as });

test('a chart with everything in it, by both Helms: nobody finds anything', async () => {
  for (const helm of HELMS) {
    const namespace = `all-${helm}`;
    await makeNamespace(plane, namespace, {});
    const args = ['install', 'web', EVERYTHING, '-n', namespace, '--set', 'hooks=false'];
    succeeds(await plane[helm](args));
    const { code, stdout, stderr } = await drift(namespace);
    assert.equal(code, 0, stdout + stderr);
    assert.equal(stdout, '');
  }
  const leader = await leaderOf(plane);
  // Belay may not read the custom resource, and may patch nothing: it compares the documents themselves.
  const looked = await waitUntil('the sweep has looked at both', async () => {
    const samples = await metricsOf(leader);
    return (samples.get('belay_sweep_releases_total{outcome="checked"}') ?? 0) >= 2 ? samples : undefined;
  });
  for (const problem of ['missing', 'unmarked', 'changed', 'added'])
    assert.equal(looked.get(`belay_drifted_objects_all{drift="${problem}"}`) ?? 0, 0, problem);
  assert.ok((looked.get('belay_sweep_unchecked_objects_total{why="forbidden"}') ?? 0) > 0);
});

for (const helm of HELMS) {
  describe(`with ${helm}`, () => {
    const namespace = `cli-${helm}`;
    let chart: string;

    before(async () => {
      chart = join(plane.dir, `secretive-${helm}`);
      await cp(SHOP, chart, { recursive: true });
      const secret =
        '---\napiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: correct horse}\n';
      await appendFile(join(chart, 'templates', 'web.yaml'), secret);
      await makeNamespace(plane, namespace, { editors: ['dev'] });
      succeeds(await plane[helm](['install', 'web', chart, '-n', namespace]));
    });

    test('without drift there is nothing to see, and a release that is not there is an error', async () => {
      assert.deepEqual(await drift(namespace, [], dev), { code: 0, stdout: '', stderr: '' });
      const { code, stderr } = await drift(namespace, ['nope']);
      assert.equal(code, 1);
      assert.match(stderr, /release "nope" not found/);
    });

    test('a unified diff for each object, with who wrote what, and no secret', async () => {
      const containers = [{ name: 'web', image: 'nginx:1.28', env: [{ name: 'DEBUG', value: '1' }] }];
      await behind(namespace, ...patch('deployment/web', { spec: { template: { spec: { containers } } } }));
      await behind(namespace, ...patch('secret/web', { stringData: { password: 'battery staple' } }));
      await behind(namespace, ...patch('configmap/web', { data: { MORE: 'x' } }));
      await behind(namespace, 'delete', 'service', 'web');
      const { code, stdout } = await drift(namespace, ['web'], dev);
      assert.equal(code, 2, stdout);
      for (const line of [
        `# release ${namespace}/web, revision 1, chart shop-1.4.0`,
        '--- Deployment web (chart)',
        '+++ Deployment web (live)',
        '-          image: nginx:1.27',
        '+          image: nginx:1.28',
        '# Service web is missing',
        '+++ /dev/null',
        '+  MORE: x',
        "-  password: (hidden, the chart's)",
        '+  password: (hidden, another)',
      ])
        assert.ok(stdout.split('\n').includes(line), `${line}\n${stdout}`);
      assert.match(stdout, /^# .*image: "nginx:1\.27" -> "nginx:1\.28" \(somebody at 20/m);
      for (const value of ['battery staple', 'correct horse'])
        for (const text of [value, Buffer.from(value).toString('base64')]) assert.ok(!stdout.includes(text), stdout);
    });

    test('in colour where a terminal wants it, and as JSON, YAML and names', async () => {
      const coloured = await runBelay(['drift', '-n', namespace], { as: dev, env: { FORCE_COLOR: '1' } });
      assert.match(coloured.stdout, /\[31m-.*nginx:1\.27/);
      const names = await drift(namespace, ['-o', 'name']);
      assert.deepEqual(names.stdout.trim().split('\n').sort(), [
        'configmap/web',
        'deployment.apps/web',
        'secret/web',
        'service/web',
      ]);
      const { code, stdout } = await drift(namespace, ['web', '-o', 'json']);
      assert.equal(code, 2);
      const found = JSON.parse(stdout) as { revision: number; drifted: readonly { kind: string; drift: string }[] };
      assert.equal(found.revision, 1);
      assert.deepEqual(found.drifted.map(({ kind, drift: problem }) => `${kind} ${problem}`).sort(), [
        'ConfigMap added',
        'Deployment changed',
        'Secret changed',
        'Service missing',
      ]);
      assert.ok(!stdout.includes(Buffer.from('battery staple').toString('base64')));
    });

    test('a rehearsal of a repair changes nothing, and tells what Belay will refuse', async () => {
      const { stdout, stderr } = await untouched(plane, namespace, () =>
        drift(namespace, ['web', '--repair', '--dry-run', '--prune']),
      );
      assert.match(stdout, /^Secret web would be restored$/m);
      assert.match(stdout, /^Service web would be created$/m);
      assert.match(stderr, /^Warning: ConfigMap web was not pruned: data\.MORE \[BelayDrift\]$/m);
    });

    test('a frozen release is not repaired', async () => {
      const record = ['secret', '-n', namespace, '-l', 'owner=helm,name=web'];
      succeeds(await plane.kubectl(['annotate', ...record, 'belay.dev/freeze=sale']));
      const { code, stderr } = await untouched(plane, namespace, () => drift(namespace, ['web', '--repair']));
      assert.equal(code, 2);
      assert.match(stderr, /frozen: sale/);
      succeeds(await plane.kubectl(['annotate', ...record, 'belay.dev/freeze-']));
    });

    test('a person restores what the chart says; what Belay guards against he has to open the release for', async () => {
      const { code, stdout, stderr } = await drift(namespace, ['web', '--repair', '--prune'], dev);
      assert.equal(code, 1, stdout + stderr);
      assert.match(stdout, /Secret web restored/);
      assert.match(stdout, /Service web created/);
      assert.match(stderr, /ConfigMap web was not pruned: data\.MORE \[BelayDrift\]/);
      const openUntil = new Date(Date.now() + 600_000).toISOString().replace(/\.\d+/, '');
      const open = ['belay.dev/open=repair', `belay.dev/open-until=${openUntil}`];
      succeeds(await plane.kubectl(['annotate', 'secret', '-n', namespace, '-l', 'owner=helm,name=web', ...open]));
      const opened = await drift(namespace, ['web', '--repair', '--prune'], dev);
      assert.equal(opened.code, 0, opened.stdout + opened.stderr);
      assert.deepEqual(await drift(namespace, ['web'], dev), { code: 0, stdout: '', stderr: '' });
      succeeds(await plane[helm](['upgrade', 'web', chart, '-n', namespace, '--set', 'image=nginx:1.29,greeting=on']));
      assert.equal((await drift(namespace)).code, 0);
    });
  });
}

test('a document that only Helm 3 takes, because a variable stands in it twice, is merged as Helm 3 does', async () => {
  const namespace = 'twice';
  const chart = join(plane.dir, 'twice');
  await cp(SHOP, chart, { recursive: true });
  const twice = [
    '---',
    '{apiVersion: apps/v1, kind: Deployment, metadata: {name: twice}, spec: {replicas: 2, selector: {matchLabels: {app: twice}},',
    'template: {metadata: {labels: {app: twice}}, spec: {containers: [{name: web, image: "nginx:1.27",',
    'env: [{name: A, value: "1"}, {name: A, value: "1"}]}]}}}}',
    '',
  ];
  await appendFile(join(chart, 'templates', 'web.yaml'), twice.join('\n'));
  await makeNamespace(plane, namespace, {});
  succeeds(await plane.helm3(['install', 'web', chart, '-n', namespace]));
  await behind(namespace, ...patch('deployment/twice', { spec: { replicas: 5 } }));
  const found = await drift(namespace, ['web']);
  assert.equal(found.code, 2, found.stdout + found.stderr);
  assert.match(found.stdout, /spec\.replicas: 2 -> 5/);
  const repaired = await drift(namespace, ['web', '--repair']);
  assert.equal(repaired.code, 0, repaired.stdout + repaired.stderr);
  assert.equal((await drift(namespace, ['web'])).code, 0);
});

test('who may not read everything is told what was left out', async () => {
  const namespace = 'partly';
  await makeNamespace(plane, namespace, { editors: ['dev'] });
  succeeds(await plane.helm4(['install', 'web', EVERYTHING, '-n', namespace, '--set', 'hooks=false,storage=false']));
  const { code, stderr } = await drift(namespace, ['web'], dev);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /ClusterRole partly-web of release partly\/web was not checked: forbidden/);
});
