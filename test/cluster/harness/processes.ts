import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface RunningProgram {
  readonly name: string;
  readonly pid: number;
  /** File with its stdout and stderr. */
  readonly log: string;
  readonly running: boolean;
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<string>;
  kill(signal?: NodeJS.Signals): void;
}

/** How a process is known again by another program: a pid alone may belong to somebody else by then. */
export interface RecordedProcess {
  readonly name: string;
  readonly pid: number;
  readonly identity: string;
}

/** Owns a set of child processes: none of them outlives `stopAll()`, the end of this process, or its sudden death. */
export interface Processes {
  start(program: Program): RunningProgram;
  /** Kills the program of that name and starts it anew, as it was, when `meanwhile` has resolved. */
  interrupt(name: string, signal: NodeJS.Signals, meanwhile: () => Promise<void>): Promise<RunningProgram>;
  /** Takes a child that was spawned elsewhere (a helm in the background) under the same protection. */
  adopt(child: ChildProcess): void;
  /** SIGTERM to all, SIGKILL to what is still there after `graceMs`. */
  stopAll(graceMs?: number): Promise<void>;
  /** Gives up ownership: the processes stay when this one ends. */
  release(): void;
  readonly recorded: readonly RecordedProcess[];
}

/**
 * Kills what it was told of when its stdin ends, which is when the process that owns the children is gone, be it by SIGKILL.
 * `$1` is the directory to remove then, if any.
 */
const reaperScript = `
pids=
while read -r operation pid; do
  case $operation in
    add) pids="$pids $pid" ;;
    drop) kept=; for one in $pids; do [ "$one" = "$pid" ] || kept="$kept $one"; done; pids=$kept ;;
  esac
done
[ -z "$pids" ] || kill -KILL $pids
[ -z "$1" ] || { sleep 1; rm -rf "$1"; }
`;

export function createProcesses({ logDir, removeDir }: { logDir: string; removeDir?: string }): Processes {
  const children = new Map<number, ChildProcess>();
  const recorded = new Map<number, RecordedProcess>();
  const reaper = spawn('sh', ['-c', reaperScript, 'reaper', removeDir ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  reaper.stdin.on('error', () => {}); // It is gone: then so are we, or it was killed and the exit hook is left.
  reaper.unref();
  (reaper.stdin as unknown as { unref(): void }).unref();

  const killAll = () => {
    for (const child of children.values()) child.kill('SIGKILL');
  };
  const onExit = () => {
    killAll();
    if (removeDir !== undefined) rmSync(removeDir, { recursive: true, force: true, maxRetries: 3 });
  };
  const onSignal = (signal: NodeJS.Signals) => process.exit(signal === 'SIGINT' ? 130 : 143);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  process.on('exit', onExit);
  for (const signal of signals) process.on(signal, onSignal);
  const letGo = () => {
    process.off('exit', onExit);
    for (const signal of signals) process.off(signal, onSignal);
    reaper.kill('SIGKILL');
  };

  const adopt = (child: ChildProcess) => {
    const { pid } = child;
    if (pid === undefined) return; // It could not be started; its 'error' event says so.
    children.set(pid, child);
    reaper.stdin.write(`add ${pid}\n`);
    child.once('exit', () => {
      children.delete(pid);
      recorded.delete(pid);
      reaper.stdin.write(`drop ${pid}\n`);
    });
  };

  const started = new Map<string, { readonly program: Program; readonly running: RunningProgram }>();
  const start = (program: Program): RunningProgram => {
    const running = launch(program);
    started.set(program.name, { program, running });
    return running;
  };
  const launch = ({ name, command, args, env, cwd }: Program): RunningProgram => {
    const log = join(logDir, `${name}.log`);
    const output = openSync(log, 'a');
    // Its own process group: Ctrl-C is ours to handle, and in order.
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', output, output],
      ...(env && { env }),
      ...(cwd && { cwd }),
    });
    closeSync(output);
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ? `ended by ${signal}` : `exited with code ${code}`));
    });
    const pid = child.pid;
    if (pid === undefined) throw new Error(`${name} (${command}) cannot be started`);
    adopt(child);
    recorded.set(pid, { name, pid, identity: processIdentity(pid) ?? '' });
    return {
      name,
      pid,
      log,
      ended,
      get running() {
        return child.exitCode === null && child.signalCode === null;
      },
      kill: (signal = 'SIGTERM') => void child.kill(signal),
    };
  };

  return {
    adopt,
    start,
    async interrupt(name, signal, meanwhile) {
      const known = started.get(name);
      if (known === undefined) throw new Error(`${name} was never started`);
      known.running.kill(signal);
      await known.running.ended;
      await meanwhile();
      return start(known.program);
    },
    async stopAll(graceMs = 1_500) {
      const ending = [...children.values()].map(
        (child) => new Promise<void>((resolve) => child.once('exit', () => resolve())),
      );
      for (const child of children.values()) child.kill('SIGTERM');
      const deadline = new AbortController();
      await Promise.race([Promise.all(ending), sleep(graceMs, undefined, { signal: deadline.signal }).catch(() => {})]);
      deadline.abort();
      killAll();
      await Promise.all(ending);
      letGo();
    },
    release() {
      letGo();
      for (const child of children.values()) child.unref();
    },
    get recorded() {
      return [...recorded.values()];
    },
  };
}

/** When the process with this pid was started, as its system tells it; undefined if there is none. */
export function processIdentity(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // Field 22 of /proc/<pid>/stat; the second, the command in brackets, may hold blanks itself. 'Z' has ended already.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
      return fields?.[0] === 'Z' ? undefined : fields?.[19];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

export const isSameProcess = ({ pid, identity }: RecordedProcess): boolean =>
  identity !== '' && processIdentity(pid) === identity;

/** Ends processes that another program started and recorded; those that are not the recorded ones any more are left alone. */
export async function endRecorded(processes: readonly RecordedProcess[], graceMs = 5_000): Promise<void> {
  const signalAll = (signal: NodeJS.Signals) => {
    for (const one of processes) if (isSameProcess(one)) process.kill(one.pid, signal);
  };
  signalAll('SIGTERM');
  for (const giveUpMs = Date.now() + graceMs; processes.some(isSameProcess) && Date.now() < giveUpMs; ) await sleep(50);
  signalAll('SIGKILL');
  while (processes.some(isSameProcess)) await sleep(20);
}

/** Last lines of a program's log, for an error message. */
export function logTail(log: string, lines = 15): string {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}
