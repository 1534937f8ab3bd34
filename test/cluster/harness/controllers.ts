import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { LONG_LIVED } from './go-runtime.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import type { Pki } from './pki.ts';
import type { Processes, RunningProgram } from './processes.ts';

interface Cluster {
  readonly dir: string;
  readonly address: string;
  readonly server: string;
  readonly pki: Pki;
  readonly processes: Processes;
}

/** kwok's node; its user is what a kubelet's would be, so that a webhook sees the names that it would see in a cluster. */
export const fakeNode = 'fake';
export const fakeNodeUser = `system:node:${fakeNode}`;

export const fakeNodeManifests = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: fakeNode, labels: { 'kubernetes.io/hostname': fakeNode } } },
    {
      // More than a kubelet may: kwok lists the pods of all nodes.
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'belay-test-kwok' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: fakeNodeUser }],
    },
  ],
};

export async function startControllerManager(
  bin: Binaries<'kube-controller-manager'>,
  cluster: Cluster,
): Promise<RunningProgram> {
  const { pki, processes } = cluster;
  const kubeconfig = await componentKubeconfig(cluster, 'kube-controller-manager', 'system:kube-controller-manager');
  return processes.start({
    name: 'kube-controller-manager',
    command: bin['kube-controller-manager'],
    env: { ...process.env, ...LONG_LIVED },
    args: [
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--use-service-account-credentials', // Each controller writes as itself, as in a real cluster.
      `--service-account-private-key-file=${pki.files.serviceAccountKey}`,
      `--root-ca-file=${pki.files.ca}`,
      // Its 20 a second by default make it take 5 s to start, and a namespace seconds to go.
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
    ],
  });
}

export async function startScheduler(bin: Binaries<'kube-scheduler'>, cluster: Cluster): Promise<RunningProgram> {
  const kubeconfig = await componentKubeconfig(cluster, 'kube-scheduler', 'system:kube-scheduler');
  return cluster.processes.start({
    name: 'kube-scheduler',
    command: bin['kube-scheduler'],
    env: { ...process.env, ...LONG_LIVED },
    args: [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'],
  });
}

/** Starts kwok; expects `fakeNodeManifests` in the cluster. */
export async function startKwok(bin: Binaries<'kwok'>, cluster: Cluster): Promise<RunningProgram> {
  const kubeconfig = await componentKubeconfig(cluster, 'kwok', fakeNodeUser, ['system:nodes']);
  return cluster.processes.start({
    name: 'kwok',
    command: bin.kwok,
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--config=${join(import.meta.dirname, 'stages.yaml')}`,
      '--manage-all-nodes',
      '--node-lease-duration-seconds=40',
      `--node-ip=${cluster.address}`,
    ],
    env: { ...process.env, ...LONG_LIVED, HOME: join(cluster.dir, 'home') }, // It keeps its configuration there.
  });
}

function componentKubeconfig(
  { dir, server, pki }: Cluster,
  component: string,
  user: string,
  groups: readonly string[] = [],
): Promise<string> {
  return writeKubeconfig(join(dir, 'pki', `${component}.kubeconfig`), {
    server,
    caCertificate: pki.caCertificate,
    user: pki.client(user, groups),
  });
}
