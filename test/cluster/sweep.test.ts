import assert from 'node:assert/strict';
import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import {
  fails,
  HELMS,
  type Helm,
  historyOf,
  inBackground,
  isDenied,
  makeNamespace,
  SHOP,
  stateOf,
  succeeds,
  untouched,
  waitForHook,
} from './support/asking.ts';
import { runBelay, startBelayCommand } from './support/belay-command.ts';
import { applyPolicy, deletePolicy } from './support/policies.ts';
import { leaderOf, metricsOf, sweepEvents, waitForDrift, waitForEvent } from './support/sweeping.ts';

/** Drift that is there already: found by one of two replicas, shown, and set back where a policy says so. Real controllers, both Helms. */

let plane: ControlPlane;
/** The shop, with what the sweep has to take care with. */
let chart: string;

const MORE = `
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-kept
  annotations:
    helm.sh/resource-policy: keep
    team: blue
data:
  mode: kept
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
stringData:
  password: correct horse
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .Release.Namespace }}-{{ .Release.Name }}
  # What has no namespace is given one by some charts.
  namespace: {{ .Release.Namespace }}
rules:
  - {apiGroups: [""], resources: [pods], verbs: [get]}
`;

before(async () => {
  plane = await startControlPlane({
    quiet: true,
    belay: { replicas: 2, overlay: 'repair', staleAfter: '8s', args: ['--log-level=debug'] },
  });
  await plane.user('dev');
  chart = join(plane.dir, 'careful-shop');
  await cp(SHOP, chart, { recursive: true });
  await appendFile(join(chart, 'templates', 'web.yaml'), MORE);
});
after(() => plane?.stop());

const containers = (container: object) => ({
  spec: { template: { spec: { containers: [{ name: 'web', ...container }] } } },
});

/** A namespace with a policy of its own, in which `dev` may write and is only audited. */
const place = (namespace: string, helm: Helm) => {
  const match = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
  const kubectl = (...args: readonly string[]) => plane.kubectl([...args, '-n', namespace]);
  const dev = (...args: readonly string[]) =>
    plane.kubectl([...args, '-n', namespace], { as: join(plane.dir, 'dev.kubeconfig') });
  return {
    kubectl,
    dev,
    helm: (...args: readonly string[]) => plane[helm]([...args, '-n', namespace]),
    create: () => makeNamespace(plane, namespace, { admins: ['dev'] }),
    policy: (drift: object, more: object = {}) => applyPolicy(plane, namespace, { match, drift, ...more }),
    patch: async (object: string, patch: object) =>
      succeeds(await dev('patch', object, '--type=strategic', '-p', JSON.stringify(patch))),
    get: (object: string, path: string) => plane.api.field(object, path, { namespace }),
  };
};

const IMAGE = '.spec.template.spec.containers[0].image';
const ENV = '.spec.template.spec.containers[0].env[*].name';

test('under Deny, no bad write is ever committed', async () => {
  const namespace = 'denied';
  const { create, helm, dev } = place(namespace, 'helm4');
  await create();
  succeeds(await helm('install', 'web', chart));
  await untouched(plane, namespace, async () => {
    isDenied(await dev('set', 'image', 'deployment/web', 'web=nginx:evil'), 'BelayDrift');
    isDenied(await dev('set', 'env', 'deployment/web', 'DEBUG=1'), 'BelayDrift');
    isDenied(await dev('delete', 'service', 'web'), 'BelayDrift');
  });
});

test('one of two replicas sweeps, and the other does not', async () => {
  const namespace = 'once';
  const { create, helm } = place(namespace, 'helm4');
  await create();
  succeeds(await helm('install', 'web', chart));
  const leader = await leaderOf(plane);
  await waitUntil('it has looked at the release', async () => {
    const samples = await metricsOf(leader);
    return (samples.get('belay_sweep_objects_total') ?? 0) >= 6 || undefined;
  });
  for (const replica of plane.belay.replicas) {
    const samples = await metricsOf(replica);
    const looked = samples.get('belay_sweep_releases_total{outcome="checked"}') ?? 0;
    assert.equal(looked > 0, replica === leader, `${looked} releases`);
    assert.equal(samples.get('belay_sweep_leading'), replica === leader ? 1 : 0);
  }
  assert.deepEqual(await sweepEvents(plane, namespace), []);
});

for (const helm of HELMS) {
  describe(`with ${helm}`, () => {
    const namespace = `sweep-${helm}`;
    const { create, dev, kubectl, policy, patch, get, helm: run } = place(namespace, helm);

    before(async () => {
      await create();
      succeeds(await run('install', 'web', chart));
      for (const [name, replicas] of [
        ['scaled', 'null'],
        ['fixed', '2'],
      ] as const)
        succeeds(await run('install', name, chart, '--set', `replicas=${replicas}`));
    });

    test('what was audited is found at once, with who wrote it, and is left as it is', async () => {
      await policy({ action: 'Audit' });
      await patch('deployment/web', containers({ image: 'nginx:1.28', env: [{ name: 'DEBUG', value: '1' }] }));
      await patch('configmap/web', { data: { MORE: 'x' } });
      await patch('configmap/web-kept', { metadata: { annotations: { team: 'red', note: 'mine' } } });
      await patch('secret/web', { stringData: { password: 'battery staple' } });
      succeeds(await dev('delete', 'service', 'web'));
      const before = await stateOf(plane, namespace);
      await waitForDrift(plane, namespace, 'web', 5);
      const found = (pattern: RegExp) =>
        waitForEvent(plane, namespace, 'DriftDetected', pattern, pattern.source.split(' ')[1]);
      const image = await found(
        /^Deployment web .*containers\[web\]\.image: "nginx:1\.27" -> "nginx:1\.28" \(kubectl-patch at 20/,
      );
      assert.match(image.message, /env: \(not set\) -> .*DEBUG/);
      await found(/^ConfigMap web .*data\.MORE: \(not set\) -> "x"/);
      await found(/^ConfigMap web-kept .*team.*"blue" -> "red".*note/);
      const secret = await found(/^Secret web .*data\.password: \(hidden\) -> \(hidden\)/);
      assert.doesNotMatch(secret.message, /battery|YmF0/);
      const record = 'sh.helm.release.v1.web.v1';
      await waitForEvent(plane, namespace, 'DriftDetected', /not as the chart has it/, record);
      await sleep(3_000);
      assert.deepEqual(await stateOf(plane, namespace), before);
    });

    test('scaling is left alone when the chart leaves replicas out, or a rule ignores it', async () => {
      const ignore = [{ group: 'apps', kind: 'Deployment', paths: ['/spec/replicas'] }];
      await policy({ action: 'Audit', ignore });
      for (const name of ['scaled', 'fixed']) {
        succeeds(await dev('scale', `deployment/${name}`, '--replicas=5'));
        await patch(`configmap/${name}`, { data: { GREETING: 'other' } });
      }
      await waitForDrift(plane, namespace, 'scaled', 1);
      await waitForDrift(plane, namespace, 'fixed', 1);
      await policy({ action: 'Audit' });
      await waitForDrift(plane, namespace, 'fixed', 2);
      await waitForDrift(plane, namespace, 'scaled', 1);
    });

    test('a frozen release is not repaired', async () => {
      succeeds(await kubectl('annotate', 'secret', '-l', 'owner=helm,name=web', 'belay.dev/freeze=sale'));
      await untouched(plane, namespace, async () => {
        await policy(
          { action: 'Audit', repair: { action: 'Apply', interval: '1m' } },
          {
            match: {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
              releases: ['web'],
            },
          },
        );
        await sleep(6_000);
      });
      succeeds(await kubectl('annotate', 'secret', '-l', 'owner=helm,name=web', 'belay.dev/freeze-'));
    });

    test("with repair, the chart's values come back, and what others added stays", async () => {
      await policy({ action: 'Audit', repair: { action: 'Apply' } });
      await waitForDrift(plane, namespace, 'web', 3);
      assert.equal(await get('deployment/web', IMAGE), 'nginx:1.27');
      assert.equal(await get('deployment/web', '.spec.replicas'), '2');
      assert.equal(await get('deployment/web', ENV), 'DEBUG');
      assert.equal(await get('configmap/web-kept', '.metadata.annotations.team'), 'blue');
      assert.equal(await get('secret/web', '.data.password'), Buffer.from('correct horse').toString('base64'));
      assert.equal(await get('service/web', '.metadata.labels'), '{"app.kubernetes.io/managed-by":"Helm"}');
      await waitForDrift(plane, namespace, 'fixed', 0);
      assert.equal(await get('deployment/fixed', '.spec.replicas'), '2');
      assert.equal(await get('deployment/scaled', '.spec.replicas'), '5');
      await waitForEvent(plane, namespace, 'DriftRepaired', /^\w+ web(-kept)? was restored by revision 1/);
    });

    test('with prune, what others added goes as well', async () => {
      await policy({ action: 'Audit', repair: { action: 'Apply', prune: true } });
      await waitForDrift(plane, namespace, 'web', 0);
      assert.equal(await get('deployment/web', ENV), '');
      assert.equal(await get('configmap/web', '.data'), '{"GREETING":"hello"}');
      assert.equal(await get('configmap/web-kept', '.metadata.annotations.note'), '');
    });

    test('after that, Helm upgrades without a conflict, and Helm 4 takes over from Helm 3', async () => {
      succeeds(await run('upgrade', 'web', chart, '--set', 'image=nginx:1.29,replicas=3,greeting=hi'));
      assert.equal(await get('deployment/web', IMAGE), 'nginx:1.29');
      const taken = ['upgrade', 'web', chart, '-n', namespace, '--set', 'image=nginx:1.30,greeting=on'];
      succeeds(await plane.helm4([...taken, '--server-side=true']));
      assert.equal(await get('deployment/web', IMAGE), 'nginx:1.30');
      assert.equal(await get('configmap/web', '.data.GREETING'), 'on');
      await waitForDrift(plane, namespace, 'web', 0);
    });

    test('what a failed upgrade left behind is judged by the revision before it', async () => {
      await policy({ action: 'Audit' });
      const args = ['upgrade', 'web', chart, '--set', 'image=nginx:1.31,badPort=true', '--force-conflicts'];
      fails(await run(...(helm === 'helm4' ? args : args.slice(0, -1))), /Invalid value/);
      const history = await historyOf(plane, namespace, 'web');
      assert.match(history, /v3 deployed, v4 failed$/);
      succeeds(await dev('label', 'configmap/web', 'app.kubernetes.io/managed-by=nobody', '--overwrite'));
      // Helm has written the ConfigMap and the Deployment; the label is on the former.
      await waitForDrift(plane, namespace, 'web', 2);
    });

    test('while an operation is in flight nothing is repaired; once it is stuck, by what is deployed', async () => {
      await policy({ action: 'Audit' });
      await patch('configmap/scaled', { data: { GREETING: 'other' } });
      await waitForDrift(plane, namespace, 'scaled', 1);
      const hook = ['upgrade', 'scaled', chart, '--set', 'replicas=null,hooks.preUpgradeDelay=60s'];
      const upgrade = inBackground(plane, helm, [...hook, '-n', namespace]);
      await waitForHook(plane, namespace, 'scaled-migrate');
      await policy({ action: 'Audit', repair: { action: 'Apply' } });
      assert.equal(await get('configmap/scaled', '.data.GREETING'), 'other');
      await sleep(4_000);
      assert.equal(await get('configmap/scaled', '.data.GREETING'), 'other');
      await upgrade.kill();
      await waitUntil(
        'it is repaired, by revision 1',
        async () => (await get('configmap/scaled', '.data.GREETING')) === 'hello' || undefined,
        { timeoutMs: 40_000 },
      );
      assert.match(await historyOf(plane, namespace, 'scaled'), /v1 deployed, v2 pending-upgrade/);
    });

    test('nothing is deleted or changed by deleting a record, a policy, or a release with kept objects', async () => {
      await policy({ action: 'Audit', repair: { action: 'Apply', prune: true } });
      succeeds(await run('uninstall', 'web'));
      assert.equal(await get('configmap/web-kept', '.data.mode'), 'kept');
      const objects = async () =>
        (await plane.api.list('deployment,service,configmap', { namespace })).map(
          ({ kind, metadata }) => `${kind}/${metadata?.name}`,
        );
      const before = await objects();
      succeeds(await kubectl('annotate', 'secret', 'sh.helm.release.v1.scaled.v2', 'belay.dev/break=test'));
      succeeds(await kubectl('delete', 'secret', 'sh.helm.release.v1.scaled.v2'));
      succeeds(await kubectl('delete', 'configmap', 'scaled-kept', '--dry-run=server'));
      await deletePolicy(plane, namespace);
      await sleep(3_000);
      assert.deepEqual(await objects(), before);
      await waitForDrift(plane, namespace, 'web', 0);
    });
  });
}

describe('belay status', () => {
  const namespace = 'marked';
  const { create, helm, policy, dev, kubectl } = place(namespace, 'helm4');
  const status = (args: readonly string[], as = 'dev', env = {}) =>
    runBelay(['status', '-n', namespace, ...args], { as: join(plane.dir, `${as}.kubeconfig`), env });
  const statusOf = async (release: string): Promise<string | undefined> =>
    succeeds(await status([release, '--no-headers'])).split(/ {2,}/)[3];
  const drift = async () => succeeds(await dev('set', 'image', 'deployment/web', 'web=nginx:1.28'));

  before(async () => {
    await create();
    await policy({ action: 'Audit' });
    for (const release of ['web', 'calm']) succeeds(await helm('install', release, chart));
  });

  test('marks a release that has drifted, as soon as the sweep has found it, also for who watches', async () => {
    const watching = startBelayCommand(['status', '-n', namespace, '--watch'], {
      as: join(plane.dir, 'dev.kubeconfig'),
    });
    try {
      await watching.says(/^web .* deployed /m);
      await drift();
      await watching.says(/^web .* deployed,drifted /m);
      assert.equal(watching.stdout.match(/^calm/gm)?.length, 1, watching.stdout);
    } finally {
      assert.equal(await watching.kill('SIGINT'), 130);
    }
    // A machine that is too busy to list Events within a second shows no mark.
    await waitUntil('it is marked', async () => (await statusOf('web')) === 'deployed,drifted' || undefined);
    assert.equal(await statusOf('calm'), 'deployed');
    const everywhere = await waitUntil('it is marked among all', async () => {
      const text = succeeds(await status(['-A'], 'admin'));
      return text.includes(',drifted') ? text : undefined;
    });
    assert.match(everywhere, /^marked +web .* deployed,drifted /m);
    assert.match(everywhere, /^marked +calm .* deployed /m);
  });

  test('tells programs, and shows in wide whether it is known', async () => {
    const items = await waitUntil('it is told', async () => {
      const list = JSON.parse(succeeds(await status(['-o', 'json']))) as {
        items: readonly { metadata: { name: string }; drift?: string | null }[];
      };
      return list.items.every(({ drift: found }) => found !== null) ? list.items : undefined;
    });
    assert.deepEqual(
      items.map(({ metadata, drift: found }) => [metadata.name, found]),
      [
        ['calm', undefined],
        ['web', 'detected'],
      ],
    );
    const wide = await waitUntil('it is shown', async () => {
      const text = succeeds(await status(['-o', 'wide']));
      return / detected /.test(text) ? text : undefined;
    });
    assert.match(wide, / AGE +DRIFT /);
    assert.match(wide, /^web .* detected /m);
    const isTold = async () => /^drift: detected$/m.test(succeeds(await status(['web', '-o', 'yaml']))) || undefined;
    await waitUntil('it is told in YAML', isTold);
    assert.equal(succeeds(await status(['-o', 'name'])), 'release/calm\nrelease/web\n');
  });

  test('is in colour for a terminal alone', async () => {
    const coloured = '\u001b[33mdeployed,drifted\u001b[39m';
    assert.ok(!succeeds(await status([])).includes('\u001b['));
    const isColoured = async () =>
      succeeds(await status([], 'dev', { FORCE_COLOR: '1' })).includes(coloured) || undefined;
    await waitUntil('it is coloured', isColoured);
  });

  test('shows all the rest to whoever may not read Events', async () => {
    await plane.user('blind');
    const role = ['create', 'role', 'blind', '--verb=get,list', '--resource=secrets,configmaps'];
    succeeds(await kubectl(...role));
    succeeds(await kubectl('create', 'rolebinding', 'blind', '--role=blind', '--user=blind'));
    const { code, stdout, stderr } = await status(['web', '-o', 'wide', '--no-headers'], 'blind');
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.deepEqual(stdout.split(/ {2,}/).slice(3, 9), [
      'deployed',
      '<unknown>',
      '<none>',
      '<unknown>',
      stdout.split(/ {2,}/)[7],
      '<unknown>',
    ]);
    assert.equal((JSON.parse(succeeds(await status(['web', '-o', 'json'], 'blind'))) as { drift: null }).drift, null);
  });

  test('takes the mark away once all is as the chart has it, by whomever', async () => {
    const isUnmarked = async () => (await statusOf('web')) === 'deployed' || undefined;
    await policy({ action: 'Audit', repair: { action: 'Apply' } });
    await waitUntil('it is repaired', isUnmarked, { timeoutMs: 60_000 });
    await policy({ action: 'Audit' });
    await drift();
    await waitForDrift(plane, namespace, 'web', 1);
    // What was told of revision 1 is not held against revision 2.
    succeeds(await helm('upgrade', 'web', chart, '--force-conflicts'));
    assert.equal(await statusOf('web'), 'deployed');
  });
});

test('a release of which nothing was ever deployed is skipped, and says so', async () => {
  const { create, helm } = place('never', 'helm4');
  await create();
  fails(await helm('install', 'web', chart, '--set', 'badPort=true'), /Invalid value/);
  const leader = await leaderOf(plane);
  const outcome = 'belay_sweep_releases_total{outcome="nothing deployed"}';
  await waitUntil('it is skipped', async () => ((await metricsOf(leader)).get(outcome) ?? 0) > 0 || undefined);
  assert.deepEqual(await sweepEvents(plane, 'never'), []);
});

test('what lies outside of the namespace of the release is shown, and left to people', async () => {
  const namespace = 'outside';
  const { create, helm, policy } = place(namespace, 'helm4');
  await create();
  await policy({ action: 'Audit', repair: { action: 'Apply', prune: true } });
  succeeds(await helm('install', 'web', chart));
  const role = `clusterrole/${namespace}-web`;
  const rules = { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }] };
  succeeds(await plane.kubectl(['patch', role, '--type=merge', '-p', JSON.stringify(rules)]));
  await waitForDrift(plane, namespace, 'web', 1);
  // Events of what has no namespace are in `default`.
  await waitForEvent(plane, 'default', 'DriftDetected', /^ClusterRole outside-web .*rules/);
  await sleep(3_000);
  assert.equal(await plane.api.field(role, '.rules[0].verbs[0]'), 'list');
});

test("an object of that name that is somebody else's is neither shown in detail nor touched", async () => {
  const namespace = 'foreign';
  const { create, helm, policy, dev, get } = place(namespace, 'helm4');
  await create();
  await policy({ action: 'Audit', repair: { action: 'Apply', prune: true } });
  succeeds(await helm('install', 'web', chart));
  await policy({ action: 'Off' });
  succeeds(await dev('delete', 'configmap', 'web'));
  succeeds(await dev('create', 'configmap', 'web', '--from-literal=token=private'));
  await policy({ action: 'Audit', repair: { action: 'Apply', prune: true } });
  const event = await waitForEvent(plane, namespace, 'DriftDetected', /does not carry the marks/);
  assert.doesNotMatch(event.message, /private/);
  await sleep(3_000);
  assert.equal(await get('configmap/web', '.data'), '{"token":"private"}');
});

test('somebody who keeps changing a field is told of, and not fought', async () => {
  const namespace = 'fight';
  const { create, helm, policy, dev, get } = place(namespace, 'helm4');
  await create();
  await policy({ action: 'Audit', repair: { action: 'Apply' } });
  succeeds(await helm('install', 'web', chart));
  const scale = async () => succeeds(await dev('scale', 'deployment/web', '--replicas=7'));
  const replicas = () => get('deployment/web', '.spec.replicas');
  for (let round = 0; round < 3; round += 1) {
    await scale();
    await waitUntil('it is set back', async () => (await replicas()) === '2' || undefined, { timeoutMs: 20_000 });
  }
  await scale();
  await waitForEvent(
    plane,
    namespace,
    'DriftRepairFailed',
    /somebody keeps changing it.*spec\.replicas: 2 -> 7 \(kubectl/,
  );
  await sleep(6_000);
  assert.equal(await replicas(), '7');
});

test('when the leader is killed midway another goes on, and what changed while Belay was away is found', async () => {
  const namespace = 'away';
  const { create, helm, dev } = place(namespace, 'helm4');
  await create();
  succeeds(await helm('install', 'web', chart));
  const first = await leaderOf(plane);
  await plane.belay.stop('SIGKILL');
  succeeds(await dev('set', 'image', 'deployment/web', 'web=nginx:1.28'));
  await plane.belay.start();
  // Nobody has given the Lease up: it has to expire first.
  await waitForDrift(plane, namespace, 'web', 1, 60_000);
  const second = await leaderOf(plane);
  await second.kill('SIGKILL');
  const third = await leaderOf(plane, [second]);
  await waitForDrift(plane, namespace, 'web', 1);
  assert.notEqual(third, second);
  assert.ok(first);
  await second.restart();
});

test('without the right to sweep nothing is read, and that is said once', async () => {
  const { create, helm } = place('without', 'helm4');
  await create();
  succeeds(await plane.kubectl(['delete', 'clusterrole', 'belay-sweep']));
  for (const replica of plane.belay.replicas) await replica.restart();
  succeeds(await helm('install', 'web', chart));
  await sleep(5_000);
  for (const replica of plane.belay.replicas) {
    const samples = await metricsOf(replica);
    assert.equal(samples.get('belay_sweep_leading'), 0);
    assert.equal(samples.get('belay_sweep_objects_total') ?? 0, 0);
  }
});
