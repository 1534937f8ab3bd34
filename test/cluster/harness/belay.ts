import { join } from 'node:path';
import { freePorts, webhookPort } from './addresses.ts';
import { compileCache } from './compile-cache.ts';
import type { Overlay } from './install-belay.ts';
import { probe } from './probe.ts';
import type { Processes, RunningProgram } from './processes.ts';
import { type IntervalChoice, intervalsEnvironment } from './short-intervals.ts';
import { waitUntil } from './wait-until.ts';

const projectDir = join(import.meta.dirname, '..', '..', '..');

export interface BelayOptions {
  /** Number of Belay processes behind the one address; 1 if left out. */
  readonly replicas?: number;
  /** When an operation counts as stale, such as `10m`. */
  readonly staleAfter?: string;
  /** How long a replica goes on serving after SIGTERM; 0 if left out, so that a test need not wait. */
  readonly drainSeconds?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What of manifests/overlays is applied; manifests/base if left out. */
  readonly overlay?: Overlay;
  /** Installs the objects in another way than by the manifests' kustomizations, such as by Helm. */
  readonly install?: () => Promise<void>;
  /** Where that puts them; `belay-system` if left out. */
  readonly namespace?: string;
  /** More arguments for `belay serve`. */
  readonly args?: readonly string[];
  /** What is particular to one replica: another way to the API server, arguments for Node itself. Asked at each of its starts. */
  readonly launchOf?: (replica: number, kubeconfig: string) => Launch;
  /**
   * How soon the address in front of several replicas notices that one is gone. `at once`, and connections that one refuses go to another, if
   * left out. `kubelet`: as the readiness probe of manifests/base/deployment.yaml does, and a connection goes where it goes, as with kube-proxy.
   */
  readonly endpoints?: 'at once' | 'kubelet';
}

export interface Launch {
  readonly kubeconfig?: string;
  readonly nodeArgs?: readonly string[];
  /** Another build than dist/belay.js. */
  readonly bundle?: string;
}

export interface BelayReplica {
  readonly pid: number;
  readonly running: boolean;
  /** Where it serves reviews, /livez and /readyz. */
  readonly url: string;
  readonly metricsUrl: string;
  readonly log: string;
  /** Resolves when the process has ended. SIGTERM if left out. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends it by SIGTERM if it runs, starts it anew, and resolves when it is ready. */
  restart(): Promise<void>;
}

export interface Belay {
  readonly replicas: readonly BelayReplica[];
  /** Where the API server reaches it. */
  readonly url: string;
  /** A line `<milliseconds since the epoch> <port> in|out` whenever a replica begins or ceases to be given connections; empty with one alone. */
  readonly spreaderLog: string;
  /** Ends all replicas; the address in front of them then refuses or drops connections. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts those that do not run; resolves when all are ready. */
  start(): Promise<void>;
}

/** What Node takes by itself in a container of 512 MiB (manifests/base/deployment.yaml): half of it for the heap. */
const IN_CONTAINER = ['--max-old-space-size=256'] as const;

/** Starts Belay as local processes; resolves when each is ready. */
export async function startBelay(
  {
    replicas: count = 1,
    staleAfter,
    drainSeconds = 0,
    env = {},
    args = [],
    namespace,
    launchOf,
    endpoints,
  }: BelayOptions,
  {
    kubeconfig,
    address,
    processes,
    intervals,
  }: { kubeconfig: string; address: string; processes: Processes; intervals: IntervalChoice },
): Promise<Belay> {
  const [ports, metricsPorts] = await Promise.all([freePorts(address, count), freePorts(address, count)]);
  if (count === 1) ports[0] = webhookPort;

  const replicas = Array.from({ length: count }, (_, index) => {
    const [port, metricsPort] = [ports[index], metricsPorts[index]];
    const url = `https://${address}:${port}`;
    let program: RunningProgram;
    const launch = () => {
      const own = launchOf?.(index, kubeconfig);
      program = processes.start({
        name: `belay-${index}`,
        command: process.execPath,
        args: [
          // As in the Dockerfile.
          '--max-semi-space-size=16',
          '--v8-pool-size=1',
          ...IN_CONTAINER,
          // Of two alike the last one counts.
          ...(process.env.BELAY_NODE_FLAGS?.split(' ') ?? []),
          ...(own?.nodeArgs ?? []),
          own?.bundle ?? join(projectDir, 'dist', 'belay.js'),
          'serve',
          `--kubeconfig=${own?.kubeconfig ?? kubeconfig}`,
          `--address=${address}`,
          `--port=${port}`,
          `--metrics-port=${metricsPort}`,
          `--drain-seconds=${drainSeconds}`,
          ...(namespace ? [`--namespace=${namespace}`] : []),
          ...(staleAfter ? [`--stale-after=${staleAfter}`] : []),
          ...args,
        ],
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          ...compileCache(),
          ...intervalsEnvironment(intervals),
          ...env,
        },
      });
    };
    const ready = () =>
      waitUntil(`Belay's replica ${index} is ready`, () => probe(`${url}/readyz`), {
        // Of 100,000 records, too, and on a busy machine.
        timeoutMs: 180_000,
        dependsOn: [program],
      });
    const kill = async (signal?: NodeJS.Signals) => {
      program.kill(signal);
      await program.ended;
    };
    const replica: BelayReplica = {
      get pid() {
        return program.pid;
      },
      get running() {
        return program.running;
      },
      get log() {
        return program.log;
      },
      url,
      metricsUrl: `http://${address}:${metricsPort}/metrics`,
      kill,
      async restart() {
        if (program.running) await kill();
        launch();
        await ready();
      },
    };
    return { replica, launch, ready };
  });

  for (const { launch } of replicas) launch();
  let spreaderLog = '';
  const url = `https://${address}:${webhookPort}`;
  await Promise.all(replicas.map(({ ready }) => ready()));
  if (count > 1) {
    const spreader = processes.start({
      name: 'spreader',
      command: process.execPath,
      args: [
        join(import.meta.dirname, 'spreader.ts'),
        ...(endpoints === 'kubelet' ? ['--as-kubelet'] : []),
        ...[address, webhookPort, ...ports].map(String),
      ],
    });
    spreaderLog = spreader.log;
    await waitUntil('the address in front of Belay answers', () => probe(`${url}/readyz`), { dependsOn: [spreader] });
  }
  return {
    url,
    get spreaderLog() {
      return spreaderLog;
    },
    replicas: replicas.map(({ replica }) => replica),
    async stop(signal) {
      await Promise.all(replicas.map(({ replica }) => replica.running && replica.kill(signal)));
    },
    async start() {
      await Promise.all(replicas.map(({ replica }) => replica.running || replica.restart()));
      await waitUntil('the address in front of Belay answers', () => probe(`${url}/readyz`));
    },
  };
}
