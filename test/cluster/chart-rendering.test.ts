import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { installFile } from '../../packaging/install-file.ts';
import { type Binaries, findOrMakeBinaries } from './harness/binaries.ts';
import { type CommandLine, createCommandLine } from './harness/command-line.ts';
import { fails, HELMS, type Helm, succeeds } from './support/asking.ts';
import { writeKustomization } from './support/kustomization.ts';

/** The chart, the kustomizations and the one file install the same objects. No cluster is needed for this, but real Helm and kubectl. */

const MANIFESTS = join(import.meta.dirname, '../../manifests');
const CHART = join(MANIFESTS, 'chart');

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly webhooks?: readonly { readonly name: string }[];
}
type Objects = Readonly<Record<string, Manifest>>;

let dir: string;
let bin: Pick<Binaries, 'kubectl' | Helm>;
let shell: CommandLine;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'belay-chart-'));
  bin = await findOrMakeBinaries(['kubectl', 'helm3', 'helm4']);
  shell = createCommandLine({ homeDir: dir, adminKubeconfig: join(dir, 'none'), adopt: () => undefined });
});
after(() => rm(dir, { recursive: true, force: true }));

const toObjects = (text: string): Objects => {
  const manifests = parseAllDocuments(text).flatMap((document): readonly Manifest[] => document.toJS() ?? []);
  const named = manifests.map((manifest) => [`${manifest.kind}/${manifest.metadata.name}`, manifest] as const);
  assert.equal(new Set(named.map(([name]) => name)).size, named.length);
  return Object.fromEntries(named.map(([name, manifest]) => [name, inOrder(manifest)]));
};

/** A strategic merge of kustomize's puts what it has patched first. The API server asks all validating webhooks at once. */
const inOrder = (manifest: Manifest): Manifest =>
  manifest.kind === 'ValidatingWebhookConfiguration' && manifest.webhooks !== undefined
    ? { ...manifest, webhooks: manifest.webhooks.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
    : manifest;

const render = (helm: Helm, args: readonly string[], namespace = 'belay-system') =>
  // As these Helms are built, without a version of Kubernetes in them.
  shell.run(bin[helm], ['template', 'belay', CHART, '--kube-version=1.36.3', '-n', namespace, ...args]);

/** Only the chart says which chart it is. */
const CHART_LABELS = ['helm.sh/chart', 'app.kubernetes.io/version'];

const withoutChartLabels = (objects: Objects): Objects =>
  Object.fromEntries(
    Object.entries(objects).map(([name, object]) => {
      const labels = Object.entries(object.metadata.labels ?? {}).filter(([label]) => !CHART_LABELS.includes(label));
      return [name, { ...object, metadata: { ...object.metadata, labels: Object.fromEntries(labels) } }];
    }),
  );

const without = (objects: Objects, names: readonly string[]): Objects => {
  for (const name of names) assert.ok(name in objects, `${name} is in there`);
  return Object.fromEntries(Object.entries(objects).filter(([name]) => !names.includes(name)));
};

const kustomize = async (directory: string): Promise<Objects> =>
  toObjects(succeeds(await shell.run(bin.kubectl, ['kustomize', directory])));

/** Of the chart alone: they are there so that they go with `helm uninstall`, and Belay fills them. */
const FILLED_BY_BELAY = ['Secret/belay-certificates'];
const SWEEPING = [...FILLED_BY_BELAY, 'Lease/belay-sweep'];
/** Of the kustomizations alone: Helm makes it by --create-namespace. */
const NAMESPACE = ['Namespace/belay-system'];

interface Same {
  readonly values: readonly string[];
  readonly components?: readonly string[];
  readonly overlay?: string;
  readonly chartAlone?: readonly string[];
}

const SAME: Readonly<Record<string, Same>> = {
  'the defaults and the base': { values: [] },
  strict: { values: ['-f', join(CHART, 'values/strict.yaml')], overlay: 'overlays/strict' },
  audit: { values: ['-f', join(CHART, 'values/audit.yaml')], overlay: 'overlays/audit' },
  drift: { values: ['-f', join(CHART, 'values/drift.yaml')], overlay: 'overlays/drift', chartAlone: SWEEPING },
  repair: { values: ['-f', join(CHART, 'values/repair.yaml')], overlay: 'overlays/repair', chartAlone: SWEEPING },
  'an existing Secret': {
    values: ['--set=certificates.mode=secret'],
    overlay: 'overlays/existing-secret',
    chartAlone: [],
  },
  'cert-manager': {
    values: ['--set=certificates.mode=cert-manager'],
    overlay: 'overlays/cert-manager',
    chartAlone: [],
  },
  'network policy': { values: ['--set=networkPolicy.enabled=true'], components: ['network-policy'] },
  'priority class': { values: ['--set=priorityClass.create=true'], components: ['priority-class'] },
  'flow control': { values: ['--set=flowControl.enabled=true'], components: ['flow-control'] },
  'host network': { values: ['--set=hostNetwork=true'], components: ['host-network'] },
  'private clusters of GKE': { values: ['--set=ports.https=10250'], components: ['gke-private-cluster'] },
  PodMonitor: { values: ['--set=monitoring.podMonitor=true'], components: ['pod-monitor'] },
  ServiceMonitor: { values: ['--set=monitoring.serviceMonitor=true'], components: ['service-monitor'] },
  PrometheusRule: { values: ['--set=monitoring.prometheusRule=true'], components: ['prometheus-rule'] },
  dashboard: { values: ['--set=monitoring.dashboard=true'], components: ['dashboard'] },
  'everything at once': {
    values: [
      ...['-f', join(CHART, 'values/strict.yaml')],
      '--set=networkPolicy.enabled=true,priorityClass.create=true,flowControl.enabled=true,ports.https=10250',
      '--set=monitoring.podMonitor=true,monitoring.serviceMonitor=true,monitoring.prometheusRule=true,monitoring.dashboard=true',
    ],
    overlay: 'overlays/strict',
    components: [
      ...['network-policy', 'priority-class', 'flow-control', 'gke-private-cluster'],
      ...['pod-monitor', 'service-monitor', 'prometheus-rule', 'dashboard'],
    ],
  },
};

for (const helm of HELMS) {
  describe(`${helm} renders what kustomize builds`, () => {
    for (const [name, { values, components = [], overlay, chartAlone = FILLED_BY_BELAY }] of Object.entries(SAME)) {
      test(name, async () => {
        const rendered = toObjects(succeeds(await render(helm, ['--include-crds', ...values])));
        const built = await kustomize(
          await writeKustomization(join(dir, name.replaceAll(' ', '-')), components, overlay),
        );
        assert.deepEqual(without(withoutChartLabels(rendered), chartAlone), without(built, NAMESPACE));
      });
    }

    test('every component is among these', async () => {
      const compared = Object.values(SAME).flatMap(({ components = [] }) => components);
      assert.deepEqual([...new Set(compared)].sort(), (await readdir(join(MANIFESTS, 'components'))).sort());
    });

    test('in another namespace nothing names the one of the manifests', async () => {
      const all = [
        'drift.sweep',
        'drift.repair',
        'networkPolicy.enabled',
        'priorityClass.create',
        'flowControl.enabled',
      ];
      const more = ['podMonitor', 'serviceMonitor', 'prometheusRule', 'dashboard'].map((kind) => `monitoring.${kind}`);
      const values = [...all, ...more].map((value) => `--set=${value}=true`);
      const rendered = JSON.stringify(toObjects(succeeds(await render(helm, values, 'release-guard'))));
      assert.ok(
        !rendered.includes('belay-system'),
        rendered.slice(rendered.indexOf('belay-system') - 200).slice(0, 400),
      );
    });

    test('no caBundle, and nothing in the Secret', async () => {
      const rendered = toObjects(succeeds(await render(helm, [])));
      assert.ok(!JSON.stringify(rendered).includes('caBundle'));
      assert.deepEqual(Object.keys(rendered['Secret/belay-certificates'] ?? {}), ['apiVersion', 'kind', 'metadata']);
    });

    const OPERATOR = '--api-versions=monitoring.coreos.com/v1';
    test('auto: only where the cluster has the kind', async () => {
      const values = ['--set=monitoring.podMonitor=auto,monitoring.serviceMonitor=auto,monitoring.prometheusRule=auto'];
      const plain = toObjects(succeeds(await render(helm, [])));
      assert.deepEqual(toObjects(succeeds(await render(helm, values))), plain);
      const more = Object.keys(toObjects(succeeds(await render(helm, [...values, OPERATOR]))));
      assert.deepEqual(more.filter((name) => !(name in plain)).sort(), [
        'PodMonitor/belay',
        'PrometheusRule/belay',
        'Service/belay-metrics',
        'ServiceMonitor/belay',
      ]);
    });

    test('what people set in the Deployment is in it', async () => {
      const values = {
        image: { repository: 'images.example.com/belay', digest: `sha256:${'0'.repeat(64)}` },
        imagePullSecrets: [{ name: 'registry' }],
        replicas: 3,
        podLabels: { team: 'a' },
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ operator: 'Exists' }],
        affinity: { nodeAffinity: {} },
        topologySpreadConstraints: [],
        priorityClassName: 'important',
        staleAfter: '5m',
        objectsFail: 'closed',
        logLevel: 'debug',
        drainSeconds: 15,
        extraArgs: ['--address=::'],
        extraEnv: [{ name: 'A', value: 'b' }],
        dnsPolicy: 'Default',
        ports: { https: 9443, metrics: 9091 },
      };
      const args = Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]);
      const { 'Deployment/belay': deployment } = toObjects(succeeds(await render(helm, args)));
      const { spec } = deployment as unknown as {
        spec: { replicas: number; template: { spec: Record<string, unknown> } };
      };
      const pod = spec.template.spec;
      const [container] = pod.containers as readonly Record<string, unknown>[];
      assert.equal(spec.replicas, 3);
      assert.equal(container?.image, `images.example.com/belay@sha256:${'0'.repeat(64)}`);
      assert.deepEqual(container?.args, [
        ...['serve', '--stale-after=5m', '--objects-fail=closed', '--drain-seconds=15', '--log-level=debug'],
        ...['--port=9443', '--metrics-port=9091', '--address=::'],
      ]);
      assert.deepEqual(
        [pod.nodeSelector, pod.tolerations, pod.priorityClassName, pod.dnsPolicy, pod.terminationGracePeriodSeconds],
        [values.nodeSelector, values.tolerations, 'important', 'Default', 35],
      );
      assert.equal(pod.topologySpreadConstraints, undefined);
    });

    for (const [value, problem] of [
      ['replcas=3', /replcas/],
      ['image.tags=x', /tags/],
      ['failurePolicies.records=Ignore', /records/],
      ['failurePolicies.objects=ignore', /objects/],
      ['drift.repair=true', /sweep/],
      ['staleAfter=soon', /staleAfter/],
      ['ports.https=443', /\/ports\/https|ports\.https/],
    ] as const) {
      test(`${value} is refused`, async () => {
        fails(await render(helm, ['--set', value]), problem);
      });
    }
  });
}

test('the one file holds what kustomize builds, with the image that was asked for', async () => {
  const built = await kustomize(await writeKustomization(join(dir, 'one'), []));
  assert.deepEqual(toObjects(await installFile()), built);
  const image = 'images.example.com:5000/belay:1.2.3';
  const other = JSON.parse(JSON.stringify(built).replace('"belay:0.1.0"', JSON.stringify(image)));
  assert.deepEqual(toObjects(await installFile(image)), other);
});
