import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
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
  historyOf,
  isDenied,
  makeNamespace,
  readRecord,
  SHOP,
  succeeds,
  untouched,
} from './support/asking.ts';

/**
 * Ways around a rule: what the API server, its controllers or Helm read out of something that looks harmless. attacks.test.ts has the
 * straight ways.
 */

/** Kinds of that chart with a status. */
const WITH_STATUS = [
  ...['deployment', 'statefulset', 'daemonset', 'service', 'persistentvolumeclaim', 'ingress', 'resourcequota'],
  ...['horizontalpodautoscaler', 'poddisruptionbudget', 'cronjob', 'widget'],
];

const EVERYTHING = join(import.meta.dirname, '..', 'charts', 'everything');

let plane: ControlPlane;
let users: Record<'ci' | 'dev', string>;
let robot: string;

const namespace = 'detours';

before(async () => {
  plane = await startControlPlane({ quiet: true, helm: HELMS, belay: {} });
  const [ci, dev] = await Promise.all(['ci', 'dev'].map((name) => plane.user(name)));
  assert.ok(ci && dev);
  users = { ci, dev };
  await makeNamespace(plane, namespace, { editors: ['dev'], admins: ['ci'] });
  succeeds(await plane.kubectl(['create', 'serviceaccount', 'robot', '-n', namespace]));
  succeeds(
    await plane.kubectl([
      ...['create', 'rolebinding', 'robot', '-n', namespace],
      ...['--clusterrole=edit', `--serviceaccount=${namespace}:robot`],
    ]),
  );
  robot = await plane.serviceAccountKubeconfig(namespace, 'robot');
});
after(() => plane?.stop());

const kubectl = (args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
  plane.kubectl([...args, '-n', namespace], { as: users.dev, ...options });
const merge = (patch: unknown): readonly string[] => ['--type=merge', `--patch=${JSON.stringify(patch)}`];
const read = (object: string): Promise<KubernetesObject> => plane.api.read(object, { namespace });

describe('what controllers and the API server read out of metadata', () => {
  const helm = (...args: readonly string[]): Promise<CommandResult> =>
    plane.helm4([...args, '-n', namespace], { as: users.ci });

  before(async () => {
    succeeds(await helm('install', 'web', SHOP));
    succeeds(await helm('upgrade', 'web', SHOP, '--set', 'image=nginx:1.28'));
    await waitUntil('the Deployment has two revisions', async () => {
      const sets = await plane.api.list('replicaset', { namespace, labels: 'app=web' });
      return sets.length >= 2 || undefined;
    });
  });

  test('the annotation by which the Deployment controller goes back to an older revision', async () => {
    const rollback = ['annotate', 'deployment', 'web', 'deprecated.deployment.rollback.to=1'];
    for (const as of [users.dev, robot]) {
      isDenied(
        await untouched(plane, namespace, () => kubectl(rollback, { as })),
        'BelayDrift',
        /deprecated\.deployment\.rollback\.to/,
      );
    }
  });

  test('an owner that does not exist: the garbage collector would delete', async () => {
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid: crypto.randomUUID() }];
    for (const object of ['deployment', 'configmap', 'service']) {
      const patch = ['patch', object, 'web', ...merge({ metadata: { ownerReferences } })];
      isDenied(await untouched(plane, namespace, () => kubectl(patch)), 'BelayDrift', /metadata\.ownerReferences/);
    }
  });

  test('a frozen release gets no new owner, with which it would go, from a service account either', async () => {
    const owner = await read('configmap/kube-root-ca.crt');
    const ownerReferences = [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'kube-root-ca.crt', uid: (owner.metadata as { uid: string }).uid },
    ];
    const adopt = ['patch', 'service', 'web', ...merge({ metadata: { ownerReferences } })];
    const freeze = ['annotate', 'secret', '-l', 'owner=helm,name=web', '--overwrite'];
    succeeds(await kubectl([...freeze, 'belay.dev/freeze=audit']));
    isDenied(await untouched(plane, namespace, () => kubectl(adopt, { as: robot })), 'BelayFrozen', /"audit"/);
    succeeds(await plane.kubectl([...freeze, 'belay.dev/freeze-', '-n', namespace]));
    succeeds(await kubectl(adopt, { as: robot }));
  });

  test('marks, owners and locks are not written by a subresource, and a custom resource takes nothing by it but its status', async () => {
    succeeds(await plane.helm4(['install', 'parts', EVERYTHING, '-n', namespace, '--set', 'hooks=false']));
    const eve = await plane.user('eve');
    const rules = [
      { apiGroups: ['*'], resources: ['*/status'], verbs: ['get', 'patch', 'update'] },
      { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] },
      { apiGroups: [''], resources: ['namespaces/finalize'], verbs: ['update'] },
    ];
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'subresources' },
      rules,
    };
    succeeds(await plane.kubectl(['create', '-n', namespace, '-f', '-'], { input: JSON.stringify(role) }));
    succeeds(
      await kubectl(['create', 'rolebinding', 'subresources', '--role=subresources', '--user=eve'], {
        as: plane.adminKubeconfig,
      }),
    );
    const annotations = { 'meta.helm.sh/release-name': null };
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid: crypto.randomUUID() }];
    const written: string[] = [];
    for (const kind of WITH_STATUS) {
      const before = (await read(`${kind}/parts`)).metadata;
      for (const metadata of [{ annotations }, { ownerReferences }]) {
        const patch = ['patch', kind, 'parts', '--subresource=status', ...merge({ metadata })];
        const outcome = await kubectl(patch, { as: eve });
        if (outcome.code !== 0) {
          isDenied(outcome, 'BelayDrift');
          written.push(kind);
        }
      }
      const after = (await read(`${kind}/parts`)).metadata;
      assert.deepEqual(
        [after?.annotations, after?.ownerReferences],
        [before?.annotations, before?.ownerReferences],
        kind,
      );
    }
    // What the API server itself keeps as it was, Belay is not asked about.
    assert.ok(
      written.includes('deployment') && written.includes('service') && !written.includes('widget'),
      `${written}`,
    );

    succeeds(await plane.kubectl(['annotate', 'namespace', namespace, 'belay.dev/freeze=audit']));
    const unlock = { metadata: { annotations: { 'belay.dev/freeze': null } } };
    const unlocked = await plane.kubectl(['patch', 'namespace', namespace, '--subresource=status', ...merge(unlock)], {
      as: eve,
    });
    isDenied(unlocked, 'BelayLockForbidden');
    const { metadata = {}, ...rest } = await plane.api.read(`namespace/${namespace}`);
    const without = JSON.stringify({
      ...rest,
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { ...metadata, annotations: {} },
    });
    const finalize = ['replace', '--raw', `/api/v1/namespaces/${namespace}/finalize`, '-f', '-'];
    isDenied(await plane.kubectl(finalize, { as: eve, input: without }), 'BelayLockForbidden');
    succeeds(await plane.kubectl(['annotate', 'namespace', namespace, 'belay.dev/freeze-']));
  });

  test('the annotations that hold what an older version of autoscaling has no fields for', async () => {
    succeeds(await plane.helm4(['install', 'all', EVERYTHING, '-n', namespace, '--set', 'hooks=false']));
    const specOf = async (): Promise<unknown> => (await read('horizontalpodautoscalers.v2.autoscaling/all')).spec;
    const before = await specOf();
    const memory = [{ type: 'Resource', resource: { name: 'memory', targetAverageUtilization: 1 } }];
    const behavior = {
      ScaleUp: { SelectPolicy: 'Disabled', Policies: [{ Type: 'Pods', Value: 1, PeriodSeconds: 60 }] },
    };
    for (const [name, value] of Object.entries({ metrics: memory, behavior })) {
      const annotations = { [`autoscaling.alpha.kubernetes.io/${name}`]: JSON.stringify(value) };
      for (const as of [users.dev, robot]) {
        const patch = [
          'patch',
          'horizontalpodautoscalers.v1.autoscaling',
          'all',
          ...merge({ metadata: { annotations } }),
        ];
        isDenied(await kubectl(patch, { as }), 'BelayDrift', /autoscaling\.alpha\.kubernetes\.io/);
        assert.deepEqual(await specOf(), before);
      }
    }
  });
});

test('a version of a custom resource that lacks a field, in which a label erases it', async () => {
  const group = 'things.test';
  const schema = (names: readonly string[]) => ({
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: { type: 'object', properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) },
      },
    },
  });
  await plane.api.create({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: schema(['size', 'extra']) },
        { name: 'v1alpha1', served: true, storage: false, schema: schema(['size']) },
      ],
    },
  });
  await waitUntil('the API server serves both versions', async () => {
    const asked = ['v1', 'v1alpha1'].map((version) => plane.kubectl(['get', `things.${version}.${group}`, '-A']));
    return (await Promise.all(asked)).every(({ code }) => code === 0) || undefined;
  });
  const chart = join(plane.dir, 'things');
  await mkdir(join(chart, 'templates'), { recursive: true });
  await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: things\nversion: 1.0.0\n');
  const thing = {
    apiVersion: `${group}/v1`,
    kind: 'Thing',
    metadata: { name: 'w' },
    spec: { size: 'big', extra: 'all' },
  };
  await writeFile(join(chart, 'templates', 'thing.yaml'), JSON.stringify(thing));
  succeeds(await plane.helm4(['install', 'things', chart, '-n', namespace]));

  const label = (version: string, value: string) => ['label', `thing.${version}.${group}`, 'w', `mine=${value}`];
  const extra = (): Promise<string> => plane.api.field(`things.v1.${group}/w`, '.spec.extra', { namespace });
  // Rights on the kind itself are the administrator's here, who is bound by the guard as well.
  const asAdmin = (args: readonly string[]) => plane.kubectl([...args, '-n', namespace]);
  isDenied(
    await asAdmin(label('v1alpha1', 'a')),
    'BelayDrift',
    /spec\.extra: would be lost/,
    /kubectl edit Thing\.v1\./,
  );
  succeeds(await asAdmin(['annotate', 'secret', '-l', 'owner=helm,name=things', 'belay.dev/freeze=x']));
  isDenied(await asAdmin(label('v1alpha1', 'b')), 'BelayFrozen');
  assert.equal(await extra(), 'all');
  succeeds(await asAdmin(label('v1', 'c')));
  assert.equal(await extra(), 'all');
});

describe('hooks in a record', () => {
  const NAME = 'sh.helm.release.v1.record.v1';

  before(async () => {
    succeeds(await plane.helm4(['install', 'record', SHOP, '-n', namespace, '--set', 'greeting=hi'], { as: users.ci }));
  });

  test('a hook that the next uninstall would run, with the rights of whoever uninstalls', async () => {
    const { data } = await readRecord(plane, namespace, NAME);
    const hook = { name: 'evil', kind: 'Job', path: 'evil.yaml', manifest: 'kind: Job', events: ['pre-delete'] };
    const release = editPayload(data.release, (payload) => (payload.hooks = [hook]));
    const patch = ['patch', 'secret', NAME, ...merge({ data: { release } })];
    isDenied(await untouched(plane, namespace, () => kubectl(patch)), 'BelayRecordProtected', /hooks/);
  });

  for (const helm of HELMS) {
    test(`the hooks that ${helm} itself runs are written down by it, and nobody minds`, async () => {
      const run = (...args: readonly string[]) => plane[helm]([...args, '-n', namespace], { as: users.ci });
      succeeds(await run('install', `hooked-${helm}`, SHOP, '--set', 'hooks.test=true', '--no-hooks'));
      const other = helm === 'helm3' ? 'helm4' : 'helm3';
      succeeds(
        await plane[other](['upgrade', `hooked-${helm}`, SHOP, '--set', 'hooks.test=true', '-n', namespace], {
          as: users.ci,
        }),
      );
      assert.equal(await historyOf(plane, namespace, `hooked-${helm}`), 'v1 superseded, v2 deployed');
    });
  }
});
