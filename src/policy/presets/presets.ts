import type { Preset, PresetAccount, PresetFields } from './preset.ts';

const account = (namespace: string, ...names: readonly string[]): readonly PresetAccount[] =>
  names.map((name) => ({ namespace, name }));

const replicasOf = (group: string, ...kinds: readonly string[]): readonly PresetFields[] =>
  kinds.map((kind) => ({ group, kind, paths: ['/spec/replicas'] }));

const SUSPENDED_CRON_JOBS: PresetFields = { group: 'batch', kind: 'CronJob', paths: ['/spec/suspend'] };

const GATEWAY_WEIGHTS: PresetFields = {
  group: 'gateway.networking.k8s.io',
  kind: 'HTTPRoute',
  paths: ['/spec/rules/*/backendRefs/*/weight'],
};

/**
 * KubeRay's autoscaler runs in the head Pod, under the account that the cluster names for it, or else under one with the cluster's own name
 * (ray-project/kuberay ray-operator/controllers/ray/utils GetHeadGroupServiceAccountName).
 */
const rayHead: NonNullable<PresetAccount['nameIn']> = (document, { name }) => {
  const set = ['spec', 'headGroupSpec', 'template', 'spec', 'serviceAccountName'].reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Readonly<Record<string, unknown>>)[key]
        : undefined,
    document,
  );
  return typeof set === 'string' && set !== '' ? set : name;
};

/** Each with where it writes, in its own source. */
const TABLE = [
  {
    // kedacore/keda pkg/scaling/executor/scale_scaledobjects.go
    name: 'keda',
    title: 'KEDA',
    does: 'scales to none, and from none, what a ScaledObject names',
    accounts: account('keda', 'keda-operator'),
    fields: replicasOf('*', '*'),
    installedBy: { group: 'keda.sh', version: 'v1alpha1', kind: 'ScaledObject' },
  },
  {
    // fluxcd/flagger pkg/canary/deployment_controller.go, pkg/router/kubernetes_default.go
    name: 'flagger',
    title: 'Flagger',
    does: 'scales the target of a Canary, points its Service to the primary, and shifts weights',
    accounts: [
      ...account('flagger-system', 'flagger'),
      ...account('istio-system', 'flagger'),
      ...account('flagger', 'flagger'),
    ],
    fields: [
      ...replicasOf('apps', 'Deployment'),
      { group: '', kind: 'Service', paths: ['/spec/selector'] },
      GATEWAY_WEIGHTS,
    ],
    installedBy: { group: 'flagger.app', version: 'v1beta1', kind: 'Canary' },
  },
  {
    // argoproj/argo-rollouts rollout/trafficrouting/istio/istio.go, rollout/trafficrouting/alb/alb.go, rollout/scale_utils.go
    name: 'argo-rollouts',
    title: 'Argo Rollouts',
    does: 'shifts weights, and scales down the Deployment that a Rollout takes over',
    accounts: account('argo-rollouts', 'argo-rollouts'),
    fields: [
      {
        group: 'networking.istio.io',
        kind: 'VirtualService',
        paths: ['/spec/http/*/route/*/weight', '/spec/tcp/*/route/*/weight', '/spec/tls/*/route/*/weight'],
      },
      GATEWAY_WEIGHTS,
      {
        group: 'networking.k8s.io',
        kind: 'Ingress',
        paths: ['/metadata/annotations/alb.ingress.kubernetes.io~1actions.~*'],
      },
      ...replicasOf('apps', 'Deployment'),
    ],
    installedBy: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Rollout' },
  },
  {
    // cert-manager/cert-manager pkg/issuer/acme/http/ingress.go
    name: 'cert-manager',
    title: 'cert-manager',
    does: 'adds the path of a challenge to an Ingress, and takes it away again (edit-in-place)',
    accounts: account('cert-manager', 'cert-manager'),
    fields: [{ group: 'networking.k8s.io', kind: 'Ingress', paths: ['/spec/rules/*/http/paths'] }],
    installedBy: { group: 'acme.cert-manager.io', version: 'v1', kind: 'Challenge' },
  },
  {
    // tigera/operator pkg/controller/ippool/defaults.go, pkg/controller/installation/core_controller.go
    name: 'tigera',
    title: 'Tigera operator (Calico)',
    does: 'fills in the pools and the provider of an Installation',
    accounts: account('tigera-operator', 'tigera-operator'),
    fields: [
      {
        group: 'operator.tigera.io',
        kind: 'Installation',
        paths: ['/spec/calicoNetwork/ipPools', '/spec/kubernetesProvider'],
      },
    ],
    installedBy: { group: 'operator.tigera.io', version: 'v1', kind: 'Installation' },
  },
  {
    // ray-project/ray python/ray/autoscaler/_private/kuberay/node_provider.py
    name: 'ray',
    title: 'Ray',
    does: 'scales the groups of workers of a RayCluster, out of its head Pod',
    accounts: [{ namespace: undefined, name: 'the account of the head Pod', nameIn: rayHead }],
    fields: [
      {
        group: 'ray.io',
        kind: 'RayCluster',
        paths: ['/spec/workerGroupSpecs/*/replicas', '/spec/workerGroupSpecs/*/scaleStrategy'],
      },
    ],
    installedBy: { group: 'ray.io', version: 'v1', kind: 'RayCluster' },
  },
  {
    // vmware-tanzu/velero pkg/controller/schedule_controller.go, pkg/controller/backup_storage_location_controller.go
    name: 'velero',
    title: 'Velero',
    does: 'marks the default location, and takes back that a schedule skips its first run',
    accounts: account('velero', 'velero', 'velero-server'),
    fields: [
      { group: 'velero.io', kind: 'Schedule', paths: ['/spec/skipImmediately'] },
      { group: 'velero.io', kind: 'BackupStorageLocation', paths: ['/spec/default'] },
    ],
    installedBy: { group: 'velero.io', version: 'v1', kind: 'Schedule' },
  },
  {
    // googleforgames/agones pkg/fleetautoscalers/controller.go
    name: 'agones',
    title: 'Agones',
    does: 'scales a Fleet by its FleetAutoscaler',
    accounts: account('agones-system', 'agones-controller'),
    fields: replicasOf('agones.dev', 'Fleet'),
    installedBy: { group: 'autoscaling.agones.dev', version: 'v1', kind: 'FleetAutoscaler' },
  },
  {
    // elastic/cloud-on-k8s pkg/controller/autoscaling/elasticsearch/controller.go
    name: 'eck',
    title: 'Elastic Cloud on Kubernetes',
    does: 'scales the sets of nodes of an Elasticsearch by its autoscaler',
    accounts: account('elastic-system', 'elastic-operator'),
    fields: [{ group: 'elasticsearch.k8s.elastic.co', kind: 'Elasticsearch', paths: ['/spec/nodeSets/*/count'] }],
    installedBy: { group: 'autoscaling.k8s.elastic.co', version: 'v1alpha1', kind: 'ElasticsearchAutoscaler' },
  },
  {
    // actions/actions-runner-controller controllers/actions.summerwind.net/horizontalrunnerautoscaler_controller.go
    name: 'actions-runner-controller',
    title: 'Actions Runner Controller (legacy)',
    does: 'scales a RunnerDeployment by its HorizontalRunnerAutoscaler',
    accounts: account('actions-runner-system', 'actions-runner-controller', 'controller-manager', 'controller'),
    fields: replicasOf('actions.summerwind.dev', 'RunnerDeployment'),
    installedBy: { group: 'actions.summerwind.dev', version: 'v1alpha1', kind: 'HorizontalRunnerAutoscaler' },
  },
  {
    // grafana/rollout-operator pkg/controller/controller.go. It runs beside what it serves.
    name: 'rollout-operator',
    title: "Grafana's rollout-operator",
    does: 'scales StatefulSets of several zones by one of them',
    accounts: [{ namespace: undefined, name: 'rollout-operator' }],
    fields: replicasOf('apps', 'StatefulSet'),
  },
  {
    // kube-green/kube-green internal/controller/sleepinfo/jsonpatch
    name: 'kube-green',
    title: 'kube-green',
    does: 'lets workloads sleep by the clock',
    accounts: account('kube-green', 'kube-green-controller-manager', 'kube-green'),
    fields: [...replicasOf('apps', 'Deployment', 'StatefulSet'), SUSPENDED_CRON_JOBS],
    installedBy: { group: 'kube-green.com', version: 'v1alpha1', kind: 'SleepInfo' },
  },
  {
    // caas-team/py-kube-downscaler kube_downscaler/scaler.py
    name: 'py-kube-downscaler',
    title: 'py-kube-downscaler',
    does: 'scales workloads down by the clock',
    accounts: [
      ...account('py-kube-downscaler', 'py-kube-downscaler'),
      ...account('kube-downscaler', 'py-kube-downscaler', 'kube-downscaler'),
    ],
    fields: [
      ...replicasOf('apps', 'Deployment', 'StatefulSet'),
      SUSPENDED_CRON_JOBS,
      { group: 'autoscaling', kind: 'HorizontalPodAutoscaler', paths: ['/spec/minReplicas'] },
    ],
  },
  {
    // topolvm/pvc-autoresizer internal/runners/pvc_autoresizer.go
    name: 'pvc-autoresizer',
    title: 'pvc-autoresizer',
    does: 'makes a volume larger when it is nearly full',
    accounts: account('pvc-autoresizer', 'pvc-autoresizer-controller', 'pvc-autoresizer'),
    fields: [{ group: '', kind: 'PersistentVolumeClaim', paths: ['/spec/resources/requests/storage'] }],
  },
  {
    // kubernetes-sigs/kueue pkg/controller/jobframework/reconciler.go
    name: 'kueue',
    title: 'Kueue',
    does: 'lets a Job wait for its turn',
    accounts: account('kueue-system', 'kueue-controller-manager'),
    fields: [{ group: 'batch', kind: 'Job', paths: ['/spec/suspend'] }],
    installedBy: { group: 'kueue.x-k8s.io', version: 'v1beta1', kind: 'ClusterQueue' },
  },
  {
    // percona/percona-xtradb-cluster-operator pkg/controller/pxc/version.go. An image is more than a number, so `auto` leaves it out.
    name: 'percona',
    title: 'Percona operator for MySQL',
    does: 'takes newer images by itself (upgradeOptions.apply)',
    accounts: [{ namespace: undefined, name: 'percona-xtradb-cluster-operator' }],
    fields: [{ group: 'pxc.percona.com', kind: 'PerconaXtraDBCluster', paths: ['/spec/*/image'] }],
  },
] as const satisfies readonly Preset[];

export const PRESETS: readonly Preset[] = TABLE;

export type PresetName = (typeof TABLE)[number]['name'];

export const PRESET_NAMES = TABLE.map(({ name }) => name);

/** The word in `drift.presets` for all whose custom resources are installed. */
export const AUTO = 'auto';

export const findPreset = (name: string): Preset | undefined => PRESETS.find((preset) => preset.name === name);
