import { type ChildProcess, spawn } from 'node:child_process';
import { exitCodeOf } from './signals.ts';

export interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * `terminal`: the program has all three streams. `watched`: stderr is shown and also read. `aside`: there is no stdin, and stdout goes to
   * stderr, as for a recovery beside the command. `captured`: stdout is returned.
   */
  readonly output: 'terminal' | 'watched' | 'aside' | 'captured';
  readonly onStart?: (child: ChildProcess) => void;
}

export interface Ended {
  /** The exit code as a shell reports it. */
  readonly code: number;
  readonly stdout: string;
  /** The end of stderr, if it was read. */
  readonly stderr: string;
}

/** Kept part of stderr. A denial is a few lines, and Helm may print pages of warnings before it. */
const MAX_KEPT_CHARACTERS = 65_536;

/** The exit codes of a shell for a program that does not exist (127) or cannot be run (126). */
const NOT_FOUND = 127;
const NOT_RUNNABLE = 126;

/** Longest wait for the last output of a program that has ended. */
const PIPE_GRACE_MS = 2_000;

const STDIO = {
  terminal: ['inherit', 'inherit', 'inherit'],
  watched: ['inherit', 'inherit', 'pipe'],
  aside: ['ignore', 'pipe', 'pipe'],
  captured: ['ignore', 'pipe', 'pipe'],
} as const;

/** Runs a program to its end. Never rejects: a program that cannot be started counts as ended, with a message on stderr. */
export const runProgram = ({ program, args, env, output, onStart }: Run): Promise<Ended> =>
  new Promise((resolve) => {
    let [stdout, stderr] = ['', ''];
    const child = spawn(program, args, { stdio: [...STDIO[output]], env: { ...process.env, ...env } });
    onStart?.(child);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (output === 'captured') stdout += text;
      else process.stderr.write(text);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      process.stderr.write(text);
      stderr = (stderr + text).slice(-MAX_KEPT_CHARACTERS);
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(`lock: cannot run ${JSON.stringify(program)}: ${error.message}\n`);
      resolve({ code: error.code === 'ENOENT' ? NOT_FOUND : NOT_RUNNABLE, stdout, stderr });
    });
    const end = (code: number | null, signal: NodeJS.Signals | null): void =>
      resolve({ code: code ?? (signal === null ? 1 : exitCodeOf(signal)), stdout, stderr });
    child.once('close', end);
    // Background processes of the program may keep the pipe open for any time.
    child.once('exit', (code, signal) => setTimeout(end, PIPE_GRACE_MS, code, signal).unref());
  });
