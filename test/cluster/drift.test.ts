import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fetch } from 'undici';
import { connect } from '../../src/kubernetes/connection.ts';
import {
  type CommandOptions,
  type CommandResult,
  type ControlPlane,
  startControlPlane,
} from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import { fails, HELMS, historyOf, isDenied, makeNamespace, SHOP, succeeds } from './support/asking.ts';

/** What a person and a controller may do to objects that Helm manages, and what not: real kubectl, real users, both Helms. */

const EVERYTHING = join(import.meta.dirname, '..', 'charts', 'everything');
const WITHOUT_VOLUMES = ['--set', 'storage=false,hooks=false'];

/** Who asks: `dev` has the role `edit`, `sre` the role `admin`, `root` is of system:masters, `operator` is a service account. */
type Who = 'dev' | 'sre' | 'root' | 'operator';

let plane: ControlPlane;
const users = new Map<Who, string>();

before(async () => {
  plane = await startControlPlane({ quiet: true, belay: { replicas: 1 } });
  users.set('dev', await plane.user('dev'));
  users.set('sre', await plane.user('sre'));
  users.set('root', plane.adminKubeconfig);
});
after(() => plane?.stop());

interface Edit {
  readonly what: string;
  /** `dev` if left out. */
  readonly who?: Who;
  readonly args: readonly string[];
  readonly env?: CommandOptions['env'];
}

interface RefusedEdit extends Edit {
  readonly saying: readonly RegExp[];
}

const merge = (object: string, patch: object): readonly string[] => [
  'patch',
  object,
  '--type=merge',
  '-p',
  JSON.stringify(patch),
];
const strategic = (object: string, patch: object): readonly string[] => ['patch', object, '-p', JSON.stringify(patch)];
const containers = (...list: readonly object[]) => ({ spec: { template: { spec: { containers: list } } } });

/** In order, though none of them leaves anything behind. */
const REFUSED_TO_PEOPLE: readonly RefusedEdit[] = [
  {
    what: 'set image',
    args: ['set', 'image', 'deployment/web', 'web=nginx:1.28'],
    saying: [
      /deployments?(\.apps)? "?web|Deployment.*web/i,
      /containers\[web\]\.image: "nginx:1\.27" -> "nginx:1\.28"/,
      /revision 1, chart everything-2\.1\.0/,
      /helm upgrade web/,
    ],
  },
  { what: 'set env', args: ['set', 'env', 'deployment/web', 'DEBUG=1'], saying: [/env\[DEBUG\]/] },
  {
    what: 'set resources',
    args: ['set', 'resources', 'deployment/web', '-c=web', '--limits=cpu=2'],
    saying: [/containers\[web\]\.resources\.limits\.cpu: "1" -> "2"/],
  },
  {
    what: 'a field that the chart left blank',
    args: merge('deployment/web', { spec: { template: { spec: { nodeSelector: { disk: 'ssd' } } } } }),
    saying: [/spec\.template\.spec\.nodeSelector/],
  },
  {
    what: 'rollout pause',
    args: ['rollout', 'pause', 'deployment/web'],
    saying: [/spec\.paused: \(not set\) -> true/],
  },
  {
    what: 'a JSON patch that takes a container away',
    args: [
      'patch',
      'deployment/web',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/spec/template/spec/initContainers/0"}]',
    ],
    saying: [/initContainers/],
  },
  {
    what: 'kubectl edit',
    args: ['edit', 'deployment/web'],
    env: { KUBE_EDITOR: 'sed -i s/nginx:1.27/nginx:1.26/' },
    saying: [/image: "nginx:1\.27" -> "nginx:1\.26"/],
  },
  { what: 'scale', args: ['scale', 'deployment/web', '--replicas=5'], saying: [/spec\.replicas: 2 -> 5/] },
  {
    what: 'scale of a StatefulSet',
    args: ['scale', 'statefulset/web', '--replicas=0'],
    saying: [/spec\.replicas: 1 -> 0/],
  },
  {
    what: 'a StatefulSet',
    args: merge('statefulset/web', { spec: { updateStrategy: { rollingUpdate: { partition: 1 } } } }),
    saying: [/spec\.updateStrategy\.rollingUpdate\.partition: 0 -> 1/],
  },
  {
    what: 'a Service',
    args: strategic('service/web', { spec: { ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }] } }),
    saying: [/spec\.ports\[.*80.*\]\.targetPort: "http" -> 8080/],
  },
  {
    what: 'a blank field of a Service',
    args: merge('service/web', { spec: { sessionAffinity: 'ClientIP' } }),
    saying: [/sessionAffinity/],
  },
  {
    what: 'a ConfigMap',
    args: merge('configmap/web', { data: { GREETING: 'hi' } }),
    saying: [/data\.GREETING: "hello" -> "hi"/],
  },
  {
    what: 'a new key in a ConfigMap',
    args: merge('configmap/web', { data: { MORE: 'x' } }),
    saying: [/data\.MORE: \(not set\) -> "x"/],
  },
  {
    what: 'an item of a kind: List',
    args: merge('configmap/web-two', { data: { item: 'three' } }),
    saying: [/data\.item: "two" -> "three"/],
  },
  {
    what: 'an Ingress',
    args: [
      'patch',
      'ingress/web',
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/spec/rules/0/host","value":"evil.test"}]',
    ],
    saying: [/shop\.test.*evil\.test/],
  },
  { what: 'a NetworkPolicy', args: merge('networkpolicy/web', { spec: { ingress: [{}] } }), saying: [/spec\.ingress/] },
  {
    what: 'a PodDisruptionBudget',
    who: 'sre',
    args: merge('pdb/web', { spec: { minAvailable: 0 } }),
    saying: [/spec\.minAvailable: 1 -> 0/],
  },
  {
    what: 'a ServiceAccount',
    args: merge('serviceaccount/web', { imagePullSecrets: [{ name: 'mine' }] }),
    saying: [/imagePullSecrets/],
  },
  { what: 'a Role', who: 'sre', args: merge('role/web', { rules: [] }), saying: [/rules/] },
  {
    what: 'a RoleBinding',
    who: 'sre',
    args: ['set', 'subject', 'rolebinding/web', '--user=dev'],
    saying: [/subjects/],
  },
  {
    what: 'a CronJob',
    args: merge('cronjob/web', { spec: { suspend: true } }),
    saying: [/spec\.suspend: false -> true/],
  },
  {
    what: 'an autoscaler',
    args: merge('hpa/web', { spec: { maxReplicas: 99 } }),
    saying: [/spec\.maxReplicas: 9 -> 99/],
  },
  {
    what: 'a custom resource',
    args: merge('widget/web', { spec: { color: 'blue' } }),
    saying: [/spec\.color: "red" -> "blue"/],
  },
  {
    what: 'a list item of a custom resource',
    args: merge('widget/web', {
      spec: {
        parts: [
          { id: 'a', size: 7 },
          { id: 'b', size: 2 },
        ],
      },
    }),
    saying: [/spec\.parts\[.*a.*\]\.size: 1 -> 7/],
  },
  {
    what: 'a label that the chart sets',
    args: ['label', 'deployment/web', 'app=other', '--overwrite'],
    saying: [/metadata\.labels\.app/],
  },
  {
    what: 'the mark of ownership',
    args: ['label', 'configmap/web', 'app.kubernetes.io/managed-by-'],
    saying: [/managed-by/],
  },
  {
    what: 'the annotation that names the release',
    args: ['annotate', 'service/web', 'meta.helm.sh/release-name-'],
    saying: [/release-name/],
  },
  { what: 'delete', args: ['delete', 'service/web'], saying: [/Helm release/i] },
  { what: 'delete of all of a kind', args: ['delete', 'configmap', '--all'], saying: [/Helm release/i] },
];

const ALLOWED_TO_PEOPLE: readonly Edit[] = [
  { what: 'rollout restart', args: ['rollout', 'restart', 'deployment/web'] },
  { what: 'rollout restart of a StatefulSet', args: ['rollout', 'restart', 'statefulset/web'] },
  { what: 'rollout restart of a DaemonSet', args: ['rollout', 'restart', 'daemonset/web'] },
  { what: 'a label of their own', args: ['label', 'deployment/web', 'team=blue'] },
  { what: 'taking it off again', args: ['label', 'deployment/web', 'team-'] },
  { what: 'an annotation of their own', args: ['annotate', 'service/web', 'note=ask blue'] },
  { what: 'a finalizer', args: merge('configmap/web', { metadata: { finalizers: ['belay.test/hold'] } }) },
  { what: 'taking the finalizer off again', args: merge('configmap/web', { metadata: { finalizers: null } }) },
  { what: 'a patch that changes nothing', args: merge('deployment/web', { spec: { replicas: 2 } }) },
  { what: 'scale to what it is', args: ['scale', 'deployment/web', '--replicas=2'] },
  { what: 'objects of their own', args: ['create', 'configmap', 'mine', '--from-literal=a=b'] },
  { what: 'deleting these', args: ['delete', 'configmap', 'mine'] },
];

const ALLOWED_TO_CONTROLLERS: readonly Edit[] = [
  { what: 'scale', args: ['scale', 'deployment/blank', '--replicas=4'] },
  { what: 'the number of replicas', args: merge('deployment/blank', { spec: { replicas: 3 } }) },
  {
    what: 'a sidecar container',
    args: strategic('deployment/blank', containers({ name: 'sidecar', image: 'proxy:1' })),
  },
  {
    what: 'extra environment',
    args: strategic('deployment/blank', containers({ name: 'web', env: [{ name: 'INJECTED', value: '1' }] })),
  },
  {
    what: 'a volume and a mount',
    args: strategic('deployment/blank', {
      spec: {
        template: {
          spec: {
            volumes: [{ name: 'certs', emptyDir: {} }],
            containers: [{ name: 'web', volumeMounts: [{ name: 'certs', mountPath: '/certs' }] }],
          },
        },
      },
    }),
  },
  {
    what: 'an annotation on the pods',
    args: merge('deployment/blank', { spec: { template: { metadata: { annotations: { 'reloaded-at': 'now' } } } } }),
  },
  {
    what: 'a default that the chart did not spell out',
    args: merge('service/blank', { spec: { sessionAffinity: 'ClientIP' } }),
  },
  { what: 'labels and annotations', args: ['annotate', 'service/blank', 'lb.test/id=42'] },
  { what: 'a key that the chart does not have', args: merge('configmap/blank', { data: { 'ca.crt': 'PEM' } }) },
];

const REFUSED_TO_CONTROLLERS: readonly RefusedEdit[] = [
  {
    what: 'the image',
    args: ['set', 'image', 'deployment/blank', 'web=nginx:1.28'],
    saying: [/containers\[web\]\.image/],
  },
  {
    what: 'a key that the chart has',
    args: merge('configmap/blank', { data: { GREETING: 'hi' } }),
    saying: [/data\.GREETING/],
  },
  {
    what: 'an environment variable that the chart sets',
    args: ['set', 'env', 'deployment/blank', 'GREETING=full'],
    saying: [/env\[GREETING\]/],
  },
  {
    what: 'the mark of ownership',
    args: ['label', 'service/blank', 'app.kubernetes.io/managed-by-'],
    saying: [/managed-by/],
  },
  {
    what: 'a container of the chart',
    args: [
      'patch',
      'deployment/blank',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/spec/template/spec/initContainers"}]',
    ],
    saying: [/initContainers/],
  },
  { what: 'delete', args: ['delete', 'service', 'blank'], saying: [/Helm release/i] },
];

const mayReadWidgets = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'belay-scale-widgets', labels: { 'belay.dev/aggregate-to-scale-parents': 'true' } },
  rules: [{ apiGroups: ['shop.belay.test'], resources: ['widgets'], verbs: ['get'] }],
};

const mayEditWidgets = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'widgets-edit', labels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' } },
  rules: [{ apiGroups: ['shop.belay.test'], resources: ['widgets', 'widgets/scale'], verbs: ['*'] }],
};

for (const helm of HELMS) {
  describe(`with ${helm}`, () => {
    const namespace = `drift-${helm}`;
    const run = (args: readonly string[], options?: CommandOptions) => plane[helm]([...args, '-n', namespace], options);
    const kubectl = (args: readonly string[], who: Who = 'dev', options: CommandOptions = {}): Promise<CommandResult> =>
      plane.kubectl([...args, '-n', namespace], { ...options, as: users.get(who) ?? '' });
    const mayBelayReadWidgets = async (): Promise<boolean> => {
      const as = '--as=system:serviceaccount:belay-system:belay';
      return (await kubectl(['auth', 'can-i', 'get', 'widgets.shop.belay.test', as], 'root')).code === 0;
    };

    before(async () => {
      succeeds(await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(mayEditWidgets) }));
      await makeNamespace(plane, namespace, { editors: ['dev'], admins: ['sre'] });
      succeeds(await plane.kubectl(['create', 'serviceaccount', 'operator', '-n', namespace]));
      const grant = [
        'create',
        'rolebinding',
        'operator',
        `--serviceaccount=${namespace}:operator`,
        '--clusterrole=edit',
      ];
      succeeds(await plane.kubectl([...grant, '-n', namespace]));
      users.set('operator', await plane.serviceAccountKubeconfig(namespace, 'operator'));
      succeeds(await run(['install', 'web', EVERYTHING, ...WITHOUT_VOLUMES]));
      succeeds(await run(['install', 'blank', EVERYTHING, ...WITHOUT_VOLUMES, '--set', 'replicas=null']));
    });

    describe('people are refused', () => {
      for (const { what, who, args, env, saying } of REFUSED_TO_PEOPLE) {
        test(what, async () => {
          isDenied(await kubectl(args, who, env && { env }), 'BelayDrift', ...saying);
        });
      }

      test('a Secret, without a word of what is in it', async () => {
        for (const patch of [
          { stringData: { password: 'battery staple' } },
          { data: { password: Buffer.from('battery staple').toString('base64') } },
          { data: { extra: Buffer.from('battery staple').toString('base64') } },
        ]) {
          const text = isDenied(await kubectl(merge('secret/web', patch)), 'BelayDrift', /data\.(password|extra)/);
          for (const value of ['battery staple', 'correct horse']) {
            assert.ok(!text.includes(value), text);
            assert.ok(!text.includes(Buffer.from(value).toString('base64')), text);
          }
        }
      });

      test('a cluster-scoped object', async () => {
        const role = `clusterrole/${namespace}-web`;
        isDenied(await kubectl(merge(role, { rules: [] }), 'root'), 'BelayDrift', /rules/);
        isDenied(await kubectl(['delete', role], 'root'), 'BelayDrift');
        succeeds(await kubectl(['label', role, 'team=blue'], 'root'));
        const priority = `priorityclass/${namespace}-web`;
        isDenied(await kubectl(merge(priority, { description: 'mine' }), 'root'), 'BelayDrift', /description/);
      });

      test('a change behind --dry-run=server or kubectl diff passes, and says what would be refused', async () => {
        const would = /only a dry run: without it, Belay refuses this:[\s\S]*BelayDrift/;
        const change = await kubectl(['set', 'image', 'deployment/web', 'web=nginx:1.28', '--dry-run=server']);
        assert.match(change.stderr, would);
        succeeds(change);
        const deletion = await kubectl(['delete', 'service', 'web', '--dry-run=server']);
        assert.match(deletion.stderr, would);
        succeeds(deletion);
        isDenied(await kubectl(['set', 'image', 'deployment/web', 'web=nginx:1.28']), 'BelayDrift');
      });

      test('with one cause a field, for programs', async () => {
        const { server, dispatcher, headers } = connect(users.get('dev'), Date.now);
        const response = await fetch(`${server}/apis/apps/v1/namespaces/${namespace}/deployments/web`, {
          method: 'PATCH',
          dispatcher,
          headers: { ...(await headers()), 'content-type': 'application/merge-patch+json' },
          body: JSON.stringify({ spec: { replicas: 7, paused: true } }),
        });
        const status = (await response.json()) as {
          code: number;
          reason: string;
          details: { causes: readonly { reason: string; field: string; message: string }[] };
        };
        await dispatcher.close();
        assert.equal(response.status, 403);
        assert.equal(status.code, 403);
        assert.equal(status.reason, 'Forbidden');
        assert.ok(status.details.causes.every(({ reason }) => reason === 'BelayDrift'));
        const causes = status.details.causes
          .filter(({ field }) => field !== undefined)
          .toSorted((a, b) => a.field.localeCompare(b.field));
        assert.deepEqual(causes, [
          { reason: 'BelayDrift', field: 'spec.paused', message: '(not set) -> true' },
          { reason: 'BelayDrift', field: 'spec.replicas', message: '2 -> 7' },
        ]);
      });

      test('and nothing of it is left behind', async () => {
        const names = (await run(['get', 'manifest', 'web'])).stdout;
        const { code, stdout } = await kubectl(['diff', '-f', '-'], 'root', { input: names });
        assert.equal(code, 0, stdout);
      });
    });

    describe('people may', () => {
      for (const { what, who, args } of ALLOWED_TO_PEOPLE) {
        test(what, async () => {
          succeeds(await kubectl(args, who));
        });
      }

      test('apply what is there already', async () => {
        for (const object of ['deployment/web', 'service/web', 'secret/web', 'widget/web']) {
          const input = succeeds(await kubectl(['get', object, '-o', 'yaml']));
          succeeds(await kubectl(['apply', '-f', '-'], 'dev', { input }));
          succeeds(
            await kubectl(['replace', '-f', '-'], 'dev', {
              input: succeeds(await kubectl(['get', object, '-o', 'yaml'])),
            }),
          );
        }
      });

      test('put back what the chart says, when it was changed while Belay was not there', async () => {
        await plane.belay.stop();
        succeeds(await kubectl(['set', 'image', 'deployment/web', 'web=nginx:1.28']));
        succeeds(await kubectl(['scale', 'deployment/web', '--replicas=5']));
        succeeds(await kubectl(merge('secret/web', { stringData: { password: 'battery staple' } })));
        await plane.belay.start();
        isDenied(
          await kubectl(['set', 'image', 'deployment/web', 'web=nginx:1.29']),
          'BelayDrift',
          /1\.28" -> "nginx:1\.29/,
        );
        succeeds(await kubectl(['set', 'image', 'deployment/web', 'web=nginx:1.27']));
        succeeds(await kubectl(['scale', 'deployment/web', '--replicas=2']));
        succeeds(await kubectl(merge('secret/web', { stringData: { password: 'correct horse' } })));
        isDenied(await kubectl(['scale', 'deployment/web', '--replicas=5']), 'BelayDrift');
      });
    });

    describe('controllers', () => {
      for (const { what, args } of ALLOWED_TO_CONTROLLERS) {
        test(`fill in ${what}`, async () => {
          succeeds(await kubectl(args, 'operator'));
        });
      }

      for (const { what, args, saying } of REFUSED_TO_CONTROLLERS) {
        test(`do not change ${what}`, async () => {
          isDenied(await kubectl(args, 'operator'), 'BelayDrift', ...saying);
        });
      }

      test('people do not scale what the chart leaves to controllers', async () => {
        isDenied(await kubectl(['scale', 'deployment/blank', '--replicas=9']), 'BelayDrift', /spec\.replicas: 3 -> 9/);
      });

      test('the next upgrade goes on from there', async () => {
        succeeds(
          await run(['upgrade', 'blank', EVERYTHING, ...WITHOUT_VOLUMES, '--set', 'replicas=null,image=nginx:1.28']),
        );
      });
    });

    describe('the release that governs', () => {
      test('is the deployed revision while a newer one has failed', async () => {
        succeeds(await run(['install', 'half', SHOP]));
        const failed = await run(['upgrade', 'half', SHOP, '--set', 'greeting=hi,badPort=true']);
        fails(failed, /99999/);
        assert.equal(await historyOf(plane, namespace, 'half'), 'v1 deployed, v2 failed');
        const change = merge('configmap/half', { data: { GREETING: 'ahoy' } });
        isDenied(await kubectl(change), 'BelayDrift', /governed by: revision 1/);
        succeeds(await kubectl(merge('configmap/half', { data: { GREETING: 'hello' } })));
        isDenied(await kubectl(merge('configmap/half', { data: { GREETING: 'hi' } })), 'BelayDrift');
      });

      test('is the one deployed last after a rollback that failed and left nothing deployed', async () => {
        succeeds(await run(['install', 'sunk', SHOP]));
        fails(await run(['upgrade', 'sunk', SHOP, '--set', 'badPort=true']), /99999/);
        succeeds(await run(['upgrade', 'sunk', SHOP, '--set', 'badPort=false']));
        fails(await run(['rollback', 'sunk', '2']), /99999/);
        const history = await historyOf(plane, namespace, 'sunk');
        assert.equal(history, 'v1 superseded, v2 failed, v3 superseded, v4 failed');
        const change = merge('configmap/sunk', { data: { GREETING: 'ahoy' } });
        isDenied(await kubectl(change), 'BelayDrift', /governed by: revision 3/);
        succeeds(await run(['rollback', 'sunk', '3']));
      });

      test('does not exist while the only revision has failed', async () => {
        fails(await run(['install', 'never', SHOP, '--set', 'badPort=true']), /99999/);
        assert.equal(await historyOf(plane, namespace, 'never'), 'v1 failed');
        succeeds(await kubectl(merge('configmap/never', { data: { GREETING: 'ahoy' } })));
        succeeds(await kubectl(['delete', 'configmap', 'never']));
      });

      test('names what it lists, and no more: an object that only looks like it is free', async () => {
        const lookalike = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: {
            name: 'lookalike',
            labels: { 'app.kubernetes.io/managed-by': 'Helm' },
            annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': namespace },
          },
        };
        succeeds(await kubectl(['create', '-f', '-'], 'dev', { input: JSON.stringify(lookalike) }));
        succeeds(await kubectl(merge('configmap/lookalike', { data: { a: 'b' } })));
        succeeds(await kubectl(['delete', 'configmap', 'lookalike']));
      });
    });

    test('scaling a custom resource is judged once Belay may read it', async () => {
      succeeds(await kubectl(['scale', 'widget/web', '--replicas=5']));
      succeeds(await kubectl(['scale', 'widget/web', '--replicas=2']));
      succeeds(await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(mayReadWidgets) }));
      await waitUntil('Belay may read widgets', async () => (await mayBelayReadWidgets()) || undefined);
      isDenied(await kubectl(['scale', 'widget/web', '--replicas=5']), 'BelayDrift', /spec\.replicas: 2 -> 5/);
      isDenied(await kubectl(['scale', 'widget/web', '--replicas=5'], 'operator'), 'BelayDrift');
      succeeds(await plane.kubectl(['delete', 'clusterrole', mayReadWidgets.metadata.name]));
      await waitUntil('Belay may not', async () => !(await mayBelayReadWidgets()) || undefined);
    });
  });
}
