import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Belay, type BelayOptions, startBelay } from './belay.ts';
import { type Binaries, findOrMakeBinaries } from './binaries.ts';
import { borrowCluster, type LentCluster, POOL_SOCKET } from './borrow-cluster.ts';
import { adminOf, type ClusterPlace, programsOf, serverOf, startCluster } from './cluster.ts';
import { type CommandOptions, type CommandResult, createCommandLine } from './command-line.ts';
import { applyManifests, belayNamespace, buildBelay, turnService, waitForReviews } from './install-belay.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { openPki } from './pki.ts';
import { createPlaneApi, type PlaneApi } from './plane-api.ts';
import { probe } from './probe.ts';
import { createProcesses, type Processes, type RecordedProcess } from './processes.ts';
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
  /**
   * A cluster that no other test has had: for tests which end its programs, read their logs, or count what the API server has counted since its
   * start. False if left out.
   */
  readonly ownCluster?: boolean;
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

/**
 * Starts a real control plane on a loopback address. All its processes are children of this one and end with it. Where the runner of the tests
 * offers clusters (cluster-pool.ts), the plane's cluster is one of those, as good as new, unless the options make it a cluster of its own.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { pods = false, helm = ['helm3', 'helm4'], belay: belayOptions = false } = options;
  const { auditLog = false, intervals = 'short', reviewClient } = options;
  const controllers = (options.controllers ?? true) || pods;
  const clusterOptions = { controllers, pods, auditLog, reviewClient };
  const progress = options.progress ?? (options.quiet ? silent : createProgress());
  const bin = await findOrMakeBinaries([...programsOf(clusterOptions), ...helm]);

  const temporary = options.dir === undefined;
  const dir = resolve(options.dir ?? (await mkdtemp(join(tmpdir(), 'belay-'))));
  const removeDir = temporary && !process.env.BELAY_KEEP_DIR ? dir : undefined;
  await Promise.all(['logs', 'home'].map((name) => mkdir(join(dir, name), { recursive: true })));
  const processes = createProcesses({ logDir: join(dir, 'logs'), ...(removeDir && { removeDir }) });
  const isOwn = options.ownCluster || !temporary || auditLog || reviewClient !== undefined;
  const pool = isOwn ? undefined : process.env[POOL_SOCKET];
  let lent: LentCluster | undefined;
  const stop = async () => {
    await processes.stopAll();
    lent?.giveBack();
    if (removeDir) await rm(removeDir, { recursive: true, force: true, maxRetries: 5 });
  };

  try {
    lent = pool === undefined ? undefined : await borrowCluster(pool, clusterOptions);
    if (lent) await symlink(join(lent.place.dir, 'pki'), join(dir, 'pki'));
    const place = lent?.place ?? (await startCluster(clusterOptions, { dir, bin, processes, progress }));
    const plane = await openPlane({
      dir,
      place,
      bin,
      processes,
      progress,
      intervals,
      isLent: lent !== undefined,
      stop,
    });
    if (belayOptions) await plane.installBelay(belayOptions);
    return plane;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What a test has of a cluster: its kubeconfigs, its commands and its Belay. */
async function openPlane({
  dir,
  place,
  bin,
  processes,
  progress,
  intervals,
  isLent,
  stop,
}: {
  dir: string;
  place: ClusterPlace;
  bin: Binaries;
  processes: Processes;
  progress: Progress;
  intervals: IntervalChoice;
  isLent: boolean;
  stop: () => Promise<void>;
}): Promise<ControlPlane> {
  const { address } = place;
  const server = serverOf(place);
  const pki = await openPki(join(dir, 'pki'));
  const { caCertificate } = pki;
  const kubeconfigOf = (path: string, user: Parameters<typeof writeKubeconfig>[1]['user']) =>
    writeKubeconfig(path, { server, caCertificate, user });
  const adminKubeconfig = await kubeconfigOf(join(dir, 'admin.kubeconfig'), adminOf(pki));

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
      if (isLent) throw new Error(`${name} belongs to other tests too: start the plane with ownCluster`);
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
