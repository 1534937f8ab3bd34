import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { CommandResult, ControlPlane } from '../harness/control-plane.ts';
import { type IntervalChoice, intervalsEnvironment } from '../harness/short-intervals.ts';
import type { Helm } from './asking.ts';

/** `belay lock …` against a plane, as the tests run it. */

const BELAY = join(import.meta.dirname, '..', '..', '..', 'dist', 'belay.js');

export interface LockOptions {
  readonly helm?: Helm;
  /** Kubeconfig of the one who runs it; the administrator's if left out. */
  readonly as?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `short` if left out, which it says on stderr. */
  readonly intervals?: IntervalChoice;
  /** Through a pseudo-terminal; stderr then comes with stdout. */
  readonly terminal?: boolean;
}

export interface RunningLock {
  readonly pid: number;
  readonly ended: Promise<CommandResult>;
  /** What it has said so far: on stderr, or on its terminal. */
  said(): string;
  /** On its terminal. */
  type(text: string): void;
  /** To `belay lock` alone. */
  kill(signal: NodeJS.Signals): void;
  /** To it and to the Helm that it runs, as when a container goes. */
  killAll(): void;
}

/** `script` of util-linux makes a terminal; the one of BSD and macOS takes other arguments. */
export const hasTerminal = (): boolean =>
  /util-linux/.test(spawnSync('script', ['--version']).stdout?.toString() ?? '');

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

const onTerminal = (command: readonly string[]): readonly string[] => [
  'script',
  '--quiet',
  '--return',
  '--command',
  // Or the shell in between would die of Ctrl-C itself, and hide the exit code.
  `exec ${command.map(quote).join(' ')}`,
  '/dev/null',
];

export const createLockCommand = (plane: ControlPlane) => {
  const started = new Set<ChildProcess>();
  const start = (args: readonly string[], options: LockOptions = {}): RunningLock => {
    const { helm = 'helm4', as, env, intervals = 'short', terminal } = options;
    const command = [process.execPath, BELAY, 'lock', ...args];
    const [program = '', ...rest] = terminal ? onTerminal(command) : command;
    const home = join(plane.dir, 'home');
    const child = spawn(program, rest, {
      // A group of its own, so that it can be ended together with its Helm.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        SHELL: '/bin/sh',
        TERM: 'xterm',
        HOME: home,
        KUBECONFIG: as ?? plane.adminKubeconfig,
        HELM_BIN: plane.bin[helm],
        HELM_CACHE_HOME: join(home, 'helm', 'cache'),
        HELM_CONFIG_HOME: join(home, 'helm', 'config'),
        HELM_DATA_HOME: join(home, 'helm', 'data'),
        ...intervalsEnvironment(intervals),
        ...env,
      },
    });
    started.add(child);
    if (!terminal) child.stdin.end();
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = once(child, 'exit').then(async ([code, signal]) => {
      // The pipes of one that was killed stay open in its orphaned Helm.
      await Promise.race([once(child, 'close'), new Promise((resolve) => setTimeout(resolve, 500))]);
      return { code: (code as number | null) ?? 128 + constants.signals[signal as NodeJS.Signals], stdout, stderr };
    });
    return {
      pid: child.pid ?? 0,
      ended,
      said: () => (terminal ? stdout : stderr),
      type: (text) => {
        child.stdin.write(text);
      },
      kill: (signal) => {
        child.kill(signal);
      },
      killAll: () => process.kill(-(child.pid ?? 0), 'SIGKILL'),
    };
  };
  return {
    start,
    run: (args: readonly string[], options?: LockOptions): Promise<CommandResult> => start(args, options).ended,
    /** Ends whatever is left, orphans too. */
    stop: (): void => {
      for (const { pid } of started) {
        try {
          if (pid !== undefined) process.kill(-pid, 'SIGKILL');
        } catch {
          // The whole group has ended.
        }
      }
    },
  };
};

export type LockCommand = ReturnType<typeof createLockCommand>;

interface LeaseObject {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly holderIdentity?: string };
}

/** The Lease of a lock; undefined when nobody holds it and nobody waits. */
export const readLease = async (
  plane: ControlPlane,
  namespace: string,
  release: string,
): Promise<{ readonly holder: string | undefined; readonly queue: readonly string[] } | undefined> => {
  const lease = await plane.api.find<LeaseObject>(`lease/belay-lock.${release}`, { namespace });
  if (lease === undefined) return undefined;
  const { metadata, spec } = lease;
  const queue = JSON.parse(metadata.annotations?.['belay.dev/lock-queue'] ?? '[]') as readonly { id: string }[];
  return { holder: spec?.holderIdentity, queue: queue.map(({ id }) => id) };
};
