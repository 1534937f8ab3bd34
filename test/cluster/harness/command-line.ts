import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { join } from 'node:path';
import { SHORT_LIVED } from './go-runtime.ts';

export interface CommandOptions {
  /** Kubeconfig of the one who runs it; the administrator's if left out. */
  readonly as?: string;
  /** For its stdin. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

export interface CommandResult {
  /** Exit code; 128 and more if a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLine {
  run(program: string, args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  spawn(program: string, args: readonly string[], options?: CommandOptions & Pick<SpawnOptions, 'stdio'>): ChildProcess;
}

const defaultTimeoutMs = 120_000;

/** Runs kubectl and helm against one control plane, away from the user's own configuration, caches and plugins. */
export function createCommandLine({
  homeDir,
  adminKubeconfig,
  adopt,
  env: common = {},
}: {
  homeDir: string;
  adminKubeconfig: string;
  adopt: (child: ChildProcess) => void;
  /** For every program. */
  env?: Readonly<Record<string, string>>;
}): CommandLine {
  const environment = ({ as, env }: CommandOptions): NodeJS.ProcessEnv => ({
    PATH: process.env.PATH,
    HOME: homeDir,
    KUBECONFIG: as ?? adminKubeconfig,
    HELM_CACHE_HOME: join(homeDir, 'helm', 'cache'),
    HELM_CONFIG_HOME: join(homeDir, 'helm', 'config'),
    HELM_DATA_HOME: join(homeDir, 'helm', 'data'),
    ...SHORT_LIVED,
    ...common,
    ...env,
  });

  const start: CommandLine['spawn'] = (program, args, options = {}) => {
    const child = spawn(program, args, {
      env: environment(options),
      stdio: options.stdio ?? 'pipe',
      ...(options.cwd && { cwd: options.cwd }),
    });
    adopt(child);
    return child;
  };

  return {
    spawn: start,
    run(program, args, options = {}) {
      return new Promise((resolve, reject) => {
        const child = start(program, args, options);
        const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
        let timedOut = false;
        const timer = setTimeout(() => {
          timedOut = true;
          child.kill('SIGKILL');
        }, timeoutMs);
        let stdout = '';
        let stderr = '';
        child.stdout?.setEncoding('utf8').on('data', (text: string) => {
          stdout += text;
        });
        child.stderr?.setEncoding('utf8').on('data', (text: string) => {
          stderr += text;
        });
        child.once('error', (error) => {
          clearTimeout(timer);
          reject(error);
        });
        child.once('close', (code, signal) => {
          clearTimeout(timer);
          if (timedOut) {
            const said = `${stdout}${stderr}`.trim();
            reject(
              new Error(`${program} ${args.join(' ')} did not end within ${timeoutMs / 1000} s${said && `:\n${said}`}`),
            );
          } else {
            resolve({ code: code ?? 128 + (signal === 'SIGKILL' ? 9 : 15), stdout, stderr });
          }
        });
        child.stdin?.on('error', () => {}); // It ended without reading all of its input; its exit code tells.
        child.stdin?.end(options.input ?? '');
      });
    },
  };
}
