import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePorts, loopbackAddress } from './addresses.ts';
import { type ApiServerPorts, firstServiceIp, startApiServer } from './api-server.ts';
import { type Belay, type BelayOptions, startBelay } from './belay.ts';
import { type Binaries, findOrMakeBinaries } from './binaries.ts';
import { type CommandOptions, type CommandResult, createCommandLine } from './command-line.ts';
import { fakeNode, fakeNodeManifests, startControllerManager, startKwok, startScheduler } from './controllers.ts';
import { applyManifests, belayNamespace, buildBelay, turnService, waitForReviews } from './install-belay.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { createPki, openPki, type Pki } from './pki.ts';
import { createPlaneApi, type PlaneApi } from './plane-api.ts';
import { probe } from './probe.ts';
import { createProcesses, type Processes, type RecordedProcess } from './processes.ts';
import type { ProgramName } from './programs.ts';
import { createProgress, type Progress, silent } from './progress.ts';
import { type IntervalChoice, intervalsEnvironment } from './short-intervals.ts';
import { waitUntil } from './wait-until.ts';

export type { Belay, BelayOptions, BelayReplica } from './belay.ts';
export type { CommandOptions, CommandResult } from './command-line.ts';

export interface ControlPlaneOptions {
  /** Where everything is kept. Left out: a temporary directory, removed at the end unless BELAY_KEEP_DIR=1. */
  readonly dir?: string;
  /** kube-controller-manager; true if left out. */
  readonly controllers?: boolean;
  /** kube-scheduler, kwok and one fake node, so that pods run (see stages.yaml); implies `controllers`; false if left out. */
  readonly pods?: boolean;
  /** The Helms that will be used; both if left out. */
  readonly helm?: readonly ('helm3' | 'helm4')[];
  /** Installs Belay; false if left out. */
  readonly belay?: BelayOptions | false;
  /** The API server's audit log, of what the webhooks were asked about; false if left out. Read it by `auditAnnotations`. */
  readonly auditLog?: boolean;
  /** Common name of the certificate that the API server shows to Belay; none if left out. */
  readonly reviewClient?: string;
  /** Of Belay and of `helm lock`, where the plane's own Helm runs it; `short` if left out. */
  readonly intervals?: IntervalChoice;
  /** No word on stderr but of failures and of binaries being built. */
  readonly quiet?: boolean;
  /** Where to tell how it goes, instead of stderr. */
  readonly progress?: Progress;
}

type Run = (args: readonly string[], options?: CommandOptions) => Promise<CommandResult>;
export type CommandName = 'kubectl' | 'helm3' | 'helm4';

export interface ControlPlane {
  readonly dir: string;
  /** URL of the API server. */
  readonly server: string;
  /** Loopback address that everything listens on. */
  readonly address: string;
  readonly adminKubeconfig: string;
  readonly bin: Partial<Binaries>;
  /** Reads, and lays out, without a process for each. */
  readonly api: PlaneApi;
  readonly kubectl: Run;
  readonly helm3: Run;
  readonly helm4: Run;
  /** The same in the background; ends with the plane at the latest. */
  spawn(
    name: CommandName,
    args: readonly string[],
    options?: CommandOptions & Pick<SpawnOptions, 'stdio'>,
  ): ChildProcess;
  /** Kubeconfig with a client certificate of this name and these groups; no rights but what RBAC gives. */
  user(name: string, groups?: readonly string[]): Promise<string>;
  /** Kubeconfig with a TokenRequest token; namespace and service account must be there. */
  serviceAccountKubeconfig(namespace: string, name: string): Promise<string>;
  /** Kills etcd or the API server, starts it anew when `meanwhile` has resolved, and resolves when the API server is ready. */
  interrupt(
    name: 'etcd' | 'kube-apiserver',
    options?: { readonly signal?: NodeJS.Signals; readonly meanwhile?: () => Promise<void> },
  ): Promise<void>;
  installBelay(options?: BelayOptions): Promise<Belay>;
  /** Throws unless Belay has been installed. */
  readonly belay: Belay;
  readonly processes: readonly RecordedProcess[];
  /** Leaves the processes to themselves: they go on when this one ends. */
  leaveRunning(): void;
  /** Resolves when every process has ended. */
  stop(): Promise<void>;
}

/** Starts a real control plane on a loopback address. All its processes are children of this one and end with it. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { pods = false, controllers = true, helm = ['helm3', 'helm4'], belay: belayOptions = false } = options;
  const { auditLog = false, intervals = 'short' } = options;
  const progress = options.progress ?? (options.quiet ? silent : createProgress());
  const bin = await findOrMakeBinaries(programsFor({ pods, controllers, helm }));

  const temporary = options.dir === undefined;
  const dir = resolve(options.dir ?? (await mkdtemp(join(tmpdir(), 'belay-'))));
  const removeDir = temporary && !process.env.BELAY_KEEP_DIR ? dir : undefined;
  await Promise.all(['pki', 'logs', 'home'].map((name) => mkdir(join(dir, name), { recursive: true })));
  const processes = createProcesses({ logDir: join(dir, 'logs'), ...(removeDir && { removeDir }) });
  const stop = async () => {
    await processes.stopAll();
    if (removeDir) await rm(removeDir, { recursive: true, force: true, maxRetries: 5 });
  };

  try {
    const plane = await startIn({
      dir,
      bin,
      processes,
      progress,
      pods,
      controllers: controllers || pods,
      auditLog,
      intervals,
      reviewClient: options.reviewClient,
      stop,
    });
    if (belayOptions) await plane.installBelay(belayOptions);
    return plane;
  } catch (error) {
    await stop();
    throw error;
  }
}

function programsFor({
  pods,
  controllers,
  helm,
}: Required<Pick<ControlPlaneOptions, 'pods' | 'controllers' | 'helm'>>) {
  const names: ProgramName[] = ['etcd', 'kube-apiserver', 'kubectl', ...helm];
  if (controllers || pods) names.push('kube-controller-manager');
  if (pods) names.push('kube-scheduler', 'kwok');
  return names;
}

/** The address and ports that a directory's plane had the last time, so that its kubeconfigs stay good. */
interface Endpoint {
  readonly address: string;
  readonly ports: ApiServerPorts;
}

async function openEndpoint(dir: string): Promise<{ endpoint: Endpoint; pki: Pki }> {
  const file = join(dir, 'pki', 'endpoint.json');
  const pkiDir = join(dir, 'pki');
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
}

async function startIn({
  dir,
  bin,
  processes,
  progress,
  pods,
  controllers,
  auditLog,
  intervals,
  reviewClient,
  stop,
}: {
  dir: string;
  bin: Binaries;
  processes: Processes;
  progress: Progress;
  pods: boolean;
  controllers: boolean;
  auditLog: boolean;
  intervals: IntervalChoice;
  reviewClient: string | undefined;
  stop: () => Promise<void>;
}): Promise<ControlPlane> {
  progress.say(`starting etcd and kube-apiserver${controllers ? '; controllers are next' : ''}`);
  const { endpoint, pki } = await openEndpoint(dir);
  const { address, ports } = endpoint;
  const server = `https://${address}:${ports.apiServer}`;
  const { caCertificate } = pki;
  const kubeconfigOf = (path: string, user: Parameters<typeof writeKubeconfig>[1]['user']) =>
    writeKubeconfig(path, { server, caCertificate, user });
  const admin = pki.client('belay-test-admin', ['system:masters']);
  const adminKubeconfig = await kubeconfigOf(join(dir, 'admin.kubeconfig'), admin);
  const apiServer = await startApiServer({ bin, dir, address, ports, pki, processes, auditLog, reviewClient });

  const commands = createCommandLine({
    homeDir: join(dir, 'home'),
    adminKubeconfig,
    adopt: processes.adopt,
    env: intervalsEnvironment(intervals),
  });
  const api = createPlaneApi(adminKubeconfig);
  const run =
    (name: CommandName): Run =>
    (args, options) =>
      commands.run(program(bin, name), args, options);
  const kubectl = run('kubectl');
  const must = async (args: readonly string[], options?: CommandOptions) => {
    const { code, stdout, stderr } = await kubectl(args, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed:\n${stderr}`);
    return stdout;
  };

  const nodeIsReady = async () => {
    const body = await probe(`${server}/api/v1/nodes/${fakeNode}`, { caCertificate, client: admin });
    const node = JSON.parse(body ?? '{}') as { status?: { conditions?: { type: string; status: string }[] } };
    return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') || undefined;
  };

  if (controllers) {
    progress.say(`starting kube-controller-manager${pods ? ', kube-scheduler and kwok' : ''}`);
    const cluster = { dir, address, server, pki, processes };
    const started = [...apiServer, await startControllerManager(bin, cluster)];
    if (pods) {
      await must(['apply', '-f', '-'], { input: JSON.stringify(fakeNodeManifests) });
      started.push(await startScheduler(bin, cluster), await startKwok(bin, cluster));
      await waitUntil('the fake node is ready', nodeIsReady, { dependsOn: started });
    }
    // Without it no pod can be created in the namespace.
    const serviceAccount = `${server}/api/v1/namespaces/default/serviceaccounts/default`;
    await waitUntil('the controllers work', () => probe(serviceAccount, { caCertificate, client: admin }), {
      dependsOn: started,
    });
  }
  const serviceAccountKubeconfig = async (namespace: string, name: string) => {
    const token = await must(['create', 'token', name, `--namespace=${namespace}`, '--duration=24h']);
    return kubeconfigOf(join(dir, `${namespace}.${name}.kubeconfig`), { token: token.trim() });
  };

  let belay: Belay | undefined;
  return {
    dir,
    server,
    address,
    adminKubeconfig,
    bin,
    api,
    kubectl,
    helm3: run('helm3'),
    helm4: run('helm4'),
    spawn: (name, args, options) => commands.spawn(program(bin, name), args, options),
    user: (name, groups = []) => kubeconfigOf(join(dir, `${name}.kubeconfig`), pki.client(name, groups)),
    serviceAccountKubeconfig,
    async interrupt(name, { signal = 'SIGKILL', meanwhile = async () => {} } = {}) {
      const program = await processes.interrupt(name, signal, meanwhile);
      await waitUntil('the API server is ready again', () => probe(`${server}/readyz`, { caCertificate }), {
        dependsOn: [program],
      });
    },
    async installBelay(options = {}) {
      if (belay) throw new Error('Belay is installed already');
      progress.say('installing Belay');
      await buildBelay();
      const { namespace = belayNamespace } = options;
      if (options.install === undefined) await applyManifests(kubectl, address, options.overlay);
      else {
        await options.install();
        await turnService(kubectl, address, namespace);
      }
      const kubeconfig = await serviceAccountKubeconfig(namespace, 'belay');
      belay = await startBelay(options, { kubeconfig, address, processes, intervals });
      await waitForReviews(api);
      return belay;
    },
    get belay() {
      if (!belay) throw new Error('Belay is not installed');
      return belay;
    },
    get processes() {
      return processes.recorded;
    },
    leaveRunning: () => processes.release(),
    stop: async () => {
      api.close();
      await stop();
    },
  };
}

function program(bin: Partial<Binaries>, name: CommandName): string {
  const path = bin[name];
  if (!path) throw new Error(`this control plane was started without ${name}`);
  return path;
}
