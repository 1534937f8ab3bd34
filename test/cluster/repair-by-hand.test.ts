import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { placeDocument } from '../../src/drift/placed-document.ts';
import { type ManifestDocument, parseManifest } from '../../src/helm/manifest.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { type CommandResult, type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import {
  HELMS,
  inBackground,
  isDenied,
  makeNamespace,
  SHOP,
  succeeds,
  untouched,
  waitForHook,
} from './support/asking.ts';
import { runBelay } from './support/belay-command.ts';

/**
 * A person sets back what has drifted, under Belay's own guard: with the rights that the built-in role `admin` gives in a namespace, and
 * no policy. What is brought back is exactly what the chart says, or nothing.
 */

const EVERYTHING = join(import.meta.dirname, '..', 'charts', 'everything');

let plane: ControlPlane;
let users: Record<'sre' | 'platform', string>;

before(async () => {
  plane = await startControlPlane({ quiet: true, belay: {} });
  const [sre, platform] = await Promise.all([plane.user('sre'), plane.user('platform', ['system:masters'])]);
  users = { sre, platform };
});
after(() => plane?.stop());

type User = keyof typeof users;

/** Behind Belay's back, as one of Kubernetes' own controllers, of which it is not asked. */
const CONTROLLER = ['--as=system:kube-controller-manager', '--as-group=system:masters'];
const behind = async (namespace: string, ...args: readonly string[]): Promise<string> =>
  succeeds(await plane.kubectl([...args, '-n', namespace, ...CONTROLLER]));
const drift = (namespace: string, args: readonly string[], as: User = 'sre'): Promise<CommandResult> =>
  runBelay(['drift', ...args, '-n', namespace], { as: users[as] });
const kubectl = (namespace: string, args: readonly string[], input?: object, as: User = 'sre') =>
  plane.kubectl([...args, '-n', namespace], {
    as: users[as],
    ...(input !== undefined && { input: JSON.stringify(input) }),
  });
const apply = (namespace: string, object: object, as: User = 'sre') =>
  kubectl(namespace, ['apply', '--server-side', '--field-manager=helm', '-f', '-'], object, as);

for (const helm of HELMS) {
  describe(`with ${helm}`, () => {
    const namespace = `hand-${helm}`;
    const get = (object: string): Promise<KubernetesObject> => plane.api.read(object, { namespace });

    before(async () => {
      await makeNamespace(plane, namespace, { admins: ['sre'] });
      succeeds(await plane[helm](['install', 'web', SHOP, '-n', namespace]));
    });

    test('changed values and missing objects come back, and Helm goes on without a conflict', async () => {
      const containers = [{ name: 'web', image: 'nginx:1.28' }];
      const patch = JSON.stringify({ spec: { template: { spec: { containers } } } });
      await behind(namespace, 'patch', 'deployment/web', '--type=strategic', '-p', patch);
      await behind(namespace, 'delete', 'service/web', 'configmap/web');
      const { code, stdout, stderr } = await drift(namespace, ['web', '--repair']);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, stdout);
      assert.deepEqual(stdout.trim().split('\n').sort(), [
        'ConfigMap web created',
        'Deployment web restored',
        'Service web created',
      ]);
      assert.deepEqual(await drift(namespace, ['web']), { code: 0, stdout: '', stderr: '' });
      succeeds(await plane[helm](['upgrade', 'web', SHOP, '-n', namespace, '--set', 'greeting=hi,image=nginx:1.29']));
      assert.equal((await drift(namespace, ['web'])).code, 0);
    });

    test('a Deployment that is gone comes back', async () => {
      await behind(namespace, 'delete', 'deployment/web');
      const { code, stdout, stderr } = await drift(namespace, ['web', '--repair']);
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'Deployment web created\n', stderr: '' });
    });

    test('what others added is not taken away by hand, and how to go on is said', async () => {
      const more = { data: { MORE: 'x' } };
      const containers = [{ name: 'web', image: 'nginx:1.28', env: [{ name: 'DEBUG', value: '1' }] }];
      const patch = { spec: { template: { spec: { containers } } } };
      for (const [object, change] of [
        ['configmap/web', more],
        ['deployment/web', patch],
      ] as const)
        await behind(namespace, 'patch', object, '--type=strategic', '-p', JSON.stringify(change));
      const { code, stdout, stderr } = await drift(namespace, ['web', '--repair', '--prune']);
      assert.equal(code, 1, stdout + stderr);
      assert.equal(stdout, 'Deployment web restored\n');
      assert.deepEqual(stderr.trim().split('\n').sort(), [
        `  belay drift web -n ${namespace} --repair --prune`,
        `  belay open web -n ${namespace} --reason "why" --for 10m`,
        'Warning: ConfigMap web was not pruned: data.MORE [BelayDrift]',
        'Warning: Deployment web was not pruned: spec.template.spec.containers[web].env [BelayDrift]',
        'What others added may be what some controller needs, so Belay lets nobody take it away by hand, unless the release is open:',
      ]);
      const left = await drift(namespace, ['web', '-o', 'name']);
      assert.equal(left.stdout, 'configmap/web\ndeployment.apps/web\n');
      const open = ['open', 'web', '-n', namespace, '--reason', 'clean up', '--for', '10m'];
      succeeds(await runBelay(open, { as: users.sre }));
      const opened = await drift(namespace, ['web', '--repair', '--prune']);
      assert.equal(opened.code, 0, opened.stdout + opened.stderr);
      succeeds(await runBelay(['close', 'web', '-n', namespace], { as: users.sre }));
      assert.deepEqual(await drift(namespace, ['web']), { code: 0, stdout: '', stderr: '' });
    });

    test('a CREATE that is not exactly the chart is refused, and says what would do', async () => {
      const pods = (change: (spec: Record<string, unknown>) => object) => (object: KubernetesObject) => {
        const spec = object.spec as { template: { spec: Record<string, unknown> } };
        const { template } = spec;
        return { ...object, spec: { ...spec, template: { ...template, spec: change(template.spec) } } };
      };
      const containersOf = (spec: Record<string, unknown>) => spec.containers as readonly object[];
      const meta = (more: object) => (object: KubernetesObject) => ({
        ...object,
        metadata: { ...object.metadata, ...more },
      });
      const ATTACKS: Readonly<Record<string, (object: KubernetesObject) => object>> = {
        'another image': pods((spec) => ({
          ...spec,
          containers: containersOf(spec).map((container) => ({ ...container, image: 'evil:1' })),
        })),
        'one more container': pods((spec) => ({
          ...spec,
          containers: [...containersOf(spec), { name: 'evil', image: 'evil:1' }],
        })),
        'a command': pods((spec) => ({
          ...spec,
          containers: containersOf(spec).map((container) => ({ ...container, command: ['sh'] })),
        })),
        'a volume of the host': pods((spec) => ({ ...spec, volumes: [{ name: 'host', hostPath: { path: '/' } }] })),
        'the network of the host': pods((spec) => ({ ...spec, hostNetwork: true })),
        'a service account': pods((spec) => ({ ...spec, serviceAccountName: 'admin' })),
        'a service account by its old name': pods((spec) => ({ ...spec, serviceAccount: 'admin' })),
        'a token by hand': pods((spec) => ({ ...spec, automountServiceAccountToken: true })),
        'one more annotation': (object) =>
          meta({ annotations: { ...object.metadata?.annotations, 'evil.example/run': 'x' } })(object),
        'one more label': (object) => meta({ labels: { ...object.metadata?.labels, team: 'evil' } })(object),
        'a finalizer': meta({ finalizers: ['evil.example/keep'] }),
        'an owner': meta({
          ownerReferences: [
            { apiVersion: 'v1', kind: 'ConfigMap', name: 'web', uid: 'a6e5b9a0-0000-0000-0000-000000000000' },
          ],
        }),
        'more in the selector': (object) => ({
          ...object,
          spec: {
            ...(object.spec as object),
            selector: {
              matchLabels: { app: 'web' },
              matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'evil'] }],
            },
          },
        }),
        'more replicas': (object) => ({ ...object, spec: { ...(object.spec as object), replicas: 9 } }),
        'less than the chart sets': pods((spec) => ({
          ...spec,
          containers: containersOf(spec).map((container) => ({ ...container, envFrom: undefined })),
        })),
      };
      const document = await chartDocument(namespace, 'Deployment');
      await behind(namespace, 'delete', 'deployment/web');
      for (const [what, attack] of Object.entries(ATTACKS)) {
        for (const as of ['sre', 'platform'] as const) {
          const said = isDenied(
            await apply(namespace, attack(document), as),
            'BelayDrift',
            /creation of Deployment web/,
          );
          assert.match(said, new RegExp(`belay drift web -n ${namespace} --repair`), what);
        }
      }
      const create = (object: object) => kubectl(namespace, ['create', '-f', '-'], object);
      isDenied(await create(document), 'BelayDrift');
      // Forged: as if only the chart's fields had been applied. The API server adds what there is.
      const applied = succeeds(
        await kubectl(
          namespace,
          [
            'apply',
            '--server-side',
            '--field-manager=helm',
            '--dry-run=server',
            '--show-managed-fields',
            '-o',
            'json',
            '-f',
            '-',
          ],
          document,
        ),
      );
      const { managedFields } = (JSON.parse(applied) as KubernetesObject).metadata ?? {};
      assert.equal(managedFields?.length, 1);
      for (const attack of [pods((spec) => ({ ...spec, hostNetwork: true })), pods((spec) => spec)]) {
        const forged = attack({ ...document, metadata: { ...document.metadata, managedFields } } as KubernetesObject);
        isDenied(await create(forged), 'BelayDrift');
        isDenied(
          await create({ ...forged, metadata: { ...(forged as KubernetesObject).metadata, managedFields: [{}] } }),
          'BelayDrift',
        );
      }
      assert.equal(await plane.api.find('deployment/web', { namespace }), undefined);
      // What stands is the chart alone.
      succeeds(await apply(namespace, document));
      assert.equal((await drift(namespace, ['web'])).code, 0);
      assert.equal((await get('deployment/web')).metadata?.annotations?.['meta.helm.sh/release-name'], 'web');
    });

    test('neither is a Secret or a ConfigMap with one more key', async () => {
      const document = await chartDocument(namespace, 'ConfigMap');
      await behind(namespace, 'delete', 'configmap/web');
      for (const more of [
        { data: { ...(document.data as object), MORE: 'x' } },
        { binaryData: { more: 'AAEC' } },
        { immutable: true },
      ])
        isDenied(await apply(namespace, { ...document, ...more }), 'BelayDrift');
      succeeds(await apply(namespace, document));
    });

    test('on a frozen release nothing is brought back, by whomever', async () => {
      const document = await chartDocument(namespace, 'ConfigMap');
      await behind(namespace, 'delete', 'configmap/web');
      const record = ['secret', '-n', namespace, '-l', 'owner=helm,name=web'];
      succeeds(await plane.kubectl(['annotate', ...record, 'belay.dev/freeze=sale']));
      await untouched(plane, namespace, async () => {
        const { code, stderr } = await drift(namespace, ['web', '--repair']);
        assert.equal(code, 2);
        assert.match(stderr, /frozen: sale/);
        for (const as of ['sre', 'platform'] as const) isDenied(await apply(namespace, document, as), 'BelayFrozen');
      });
      succeeds(await plane.kubectl(['annotate', ...record, 'belay.dev/freeze-']));
      succeeds(await apply(namespace, document));
    });

    test('while an upgrade is in flight nothing is brought back by others', async () => {
      const document = await chartDocument(namespace, 'ConfigMap');
      await behind(namespace, 'delete', 'configmap/web');
      const args = ['upgrade', 'web', SHOP, '-n', namespace, '--set', 'hooks.preUpgradeDelay=60s'];
      const upgrade = inBackground(plane, helm, args);
      await waitForHook(plane, namespace, 'web-migrate');
      isDenied(await apply(namespace, document), 'BelayDrift');
      const { stderr } = await drift(namespace, ['web', '--repair']);
      assert.match(stderr, /operation in flight/);
      await upgrade.kill();
    });
  });
}

test('of every kind that charts have, what is gone comes back, but for a Job', async () => {
  const namespace = 'all-kinds';
  await makeNamespace(plane, namespace, {});
  succeeds(await plane.helm4(['install', 'web', EVERYTHING, '-n', namespace, '--set', 'hooks=false']));
  const listed = await documentsOf(namespace);
  for (const { group, kind, name } of listed) {
    // With it, everything of its kind would go as well; and what protects a claim would wait for it.
    if (kind === 'CustomResourceDefinition' || kind === 'PersistentVolumeClaim') continue;
    await behind(namespace, 'delete', group === '' ? kind : `${kind}.${group}`, name, '--wait=false');
  }
  const { code, stdout, stderr } = await drift(namespace, ['web', '--repair'], 'platform');
  assert.equal(code, 2, stdout + stderr);
  assert.match(stderr, /^Warning: Job web-1 was not repaired: a Job is not created again[^\n]*\n$/);
  const created = [...stdout.matchAll(/^(\S+) \S+ created$/gm)].map(([, kind]) => kind);
  const gone = new Set(['CustomResourceDefinition', 'PersistentVolumeClaim', 'Job']);
  assert.deepEqual(created.sort(), listed.flatMap(({ kind }) => (gone.has(kind) ? [] : kind)).sort());
  assert.equal((await drift(namespace, ['web', '-o', 'name'], 'platform')).stdout, 'job.batch/web-1\n');
});

const documentsOf = async (namespace: string): Promise<readonly ManifestDocument[]> =>
  parseManifest(succeeds(await plane.helm4(['get', 'manifest', 'web', '-n', namespace])));

/** The chart's document of that kind as Helm applies it, of the newest revision. */
const chartDocument = async (namespace: string, kind: string): Promise<KubernetesObject> => {
  const found = (await documentsOf(namespace)).find((document) => document.kind === kind);
  assert.ok(found, `the chart has no ${kind}`);
  return placeDocument(found.document, { releaseName: 'web', releaseNamespace: namespace }, namespace);
};
