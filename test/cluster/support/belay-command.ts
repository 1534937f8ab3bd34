import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { compileCache } from '../harness/compile-cache.ts';
import type { CommandResult } from '../harness/control-plane.ts';
import { waitUntil } from '../harness/wait-until.ts';

/** The bundle, as a user runs it. `buildBelay` of the harness makes it. */
export const BUNDLE = join(import.meta.dirname, '..', '..', '..', 'dist', 'belay.js');

export interface BelayCommandOptions {
  /** Kubeconfig of whoever runs it. */
  readonly as?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another path by which it is called. */
  readonly script?: string;
}

const environment = ({ as, env }: BelayCommandOptions): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  ...compileCache(),
  ...(as !== undefined && { KUBECONFIG: as }),
  ...env,
});

/** Runs `belay` in pipes, away from the user's own environment. */
export const runBelay = (args: readonly string[], options: BelayCommandOptions = {}): Promise<CommandResult> =>
  new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [options.script ?? BUNDLE, ...args],
      { env: environment(options), timeout: 60_000 },
      (error, stdout, stderr) => {
        const code = child.exitCode;
        if (code === null) reject(error);
        else resolve({ code, stdout, stderr });
      },
    );
  });

export interface RunningBelay {
  /** What it has printed so far. */
  readonly stdout: string;
  /** Resolves when it has printed a line like this one. */
  says(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/** Runs one that goes on by itself. */
export const startBelayCommand = (args: readonly string[], options: BelayCommandOptions = {}): RunningBelay => {
  const child: ChildProcess = spawn(process.execPath, [BUNDLE, ...args], { env: environment(options) });
  const ended = once(child, 'exit');
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  return {
    get stdout() {
      return stdout;
    },
    says: async (pattern) => {
      await waitUntil(`belay ${args.join(' ')} says ${pattern}`, async () => pattern.test(stdout) || undefined);
    },
    kill: async (signal) => {
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
};
