import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts, loopbackAddress } from './addresses.ts';
import { type ApiServerPorts, firstServiceIp, startApiServer } from './api-server.ts';
import type { Binaries } from './binaries.ts';
import { createCommandLine } from './command-line.ts';
import { fakeNode, fakeNodeManifests, startControllerManager, startKwok, startScheduler } from './controllers.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { createPki, openPki, type Pki } from './pki.ts';
import { probe } from './probe.ts';
import type { Processes } from './processes.ts';
import type { ProgramName } from './programs.ts';
import type { Progress } from './progress.ts';
import { waitUntil } from './wait-until.ts';

/** What the processes of a cluster depend on. Tests whose clusters are equal in all of it may have the same one, one after the other. */
export interface ClusterOptions {
  /** kube-controller-manager. */
  readonly controllers: boolean;
  /** kube-scheduler, kwok and one fake node, so that pods run (see stages.yaml); needs `controllers`. */
  readonly pods: boolean;
  /** The API server's audit log. */
  readonly auditLog: boolean;
  /** Common name of the certificate that the API server shows to webhooks; none if undefined. */
  readonly reviewClient: string | undefined;
}

/** Where a cluster is, and how to be its administrator. All of it can be written as JSON. */
export interface ClusterPlace {
  readonly dir: string;
  /** Loopback address that everything listens on. */
  readonly address: string;
  readonly ports: ApiServerPorts;
}

export const serverOf = ({ address, ports }: ClusterPlace): string => `https://${address}:${ports.apiServer}`;
export const adminOf = (pki: Pki) => pki.client('belay-test-admin', ['system:masters']);

/** The programs that make a cluster. */
export const programsOf = ({ controllers, pods }: Pick<ClusterOptions, 'controllers' | 'pods'>): ProgramName[] => [
  'etcd',
  'kube-apiserver',
  'kubectl',
  ...(controllers ? (['kube-controller-manager'] as const) : []),
  ...(pods ? (['kube-scheduler', 'kwok'] as const) : []),
];

/** The address and ports that a directory's cluster had the last time, so that its kubeconfigs stay good. */
type Endpoint = Omit<ClusterPlace, 'dir'>;

const openEndpoint = async (dir: string): Promise<{ endpoint: Endpoint; pki: Pki }> => {
  const pkiDir = join(dir, 'pki');
  const file = join(pkiDir, 'endpoint.json');
  if (existsSync(file))
    return { endpoint: JSON.parse(await readFile(file, 'utf8')) as Endpoint, pki: await openPki(pkiDir) };
  const address = await loopbackAddress();
  const [etcdClient = 0, etcdPeer = 0, apiServer = 0] = await freePorts(address, 3);
  const endpoint = { address, ports: { etcdClient, etcdPeer, apiServer } };
  const kubernetes = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const pki = await createPki(pkiDir, {
    servingNames: ['localhost', '127.0.0.1', address, firstServiceIp, ...kubernetes],
  });
  await writeFile(file, JSON.stringify(endpoint));
  return { endpoint, pki };
};

/** Starts etcd, the API server and the controllers in `dir`, and resolves when they work. */
export const startCluster = async (
  { controllers, pods, auditLog, reviewClient }: ClusterOptions,
  { dir, bin, processes, progress }: { dir: string; bin: Binaries; processes: Processes; progress: Progress },
): Promise<ClusterPlace> => {
  await Promise.all(['pki', 'logs', 'home'].map((name) => mkdir(join(dir, name), { recursive: true })));
  progress.say(`starting etcd and kube-apiserver${controllers ? '; controllers are next' : ''}`);
  const { endpoint, pki } = await openEndpoint(dir);
  const { address, ports } = endpoint;
  const place = { dir, ...endpoint };
  const server = serverOf(place);
  const { caCertificate } = pki;
  const client = adminOf(pki);
  const apiServer = await startApiServer({ bin, dir, address, ports, pki, processes, auditLog, reviewClient });
  if (!controllers) return place;

  progress.say(`starting kube-controller-manager${pods ? ', kube-scheduler and kwok' : ''}`);
  const component = { dir, address, server, pki, processes };
  const started = [...apiServer, await startControllerManager(bin, component)];
  if (pods) {
    const adminKubeconfig = await writeKubeconfig(join(dir, 'pki', 'admin.kubeconfig'), {
      server,
      caCertificate,
      user: client,
    });
    const commands = createCommandLine({ homeDir: join(dir, 'home'), adminKubeconfig, adopt: processes.adopt });
    const input = JSON.stringify(fakeNodeManifests);
    const { code, stderr } = await commands.run(bin.kubectl, ['apply', '-f', '-'], { input });
    if (code !== 0) throw new Error(`the fake node cannot be made:\n${stderr}`);
    started.push(await startScheduler(bin, component), await startKwok(bin, component));
    const nodeIsReady = async () => {
      const body = await probe(`${server}/api/v1/nodes/${fakeNode}`, { caCertificate, client });
      const node = JSON.parse(body ?? '{}') as { status?: { conditions?: { type: string; status: string }[] } };
      return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') || undefined;
    };
    await waitUntil('the fake node is ready', nodeIsReady, { dependsOn: started });
  }
  // Without it no pod can be created in the namespace.
  const serviceAccount = `${server}/api/v1/namespaces/default/serviceaccounts/default`;
  await waitUntil('the controllers work', () => probe(serviceAccount, { caCertificate, client }), {
    dependsOn: started,
  });
  return place;
};
