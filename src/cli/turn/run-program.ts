import { type ChildProcess, spawn } from 'node:child_process';
import { exitCodeOf } from './signals.ts';

export interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * `terminal`: all three streams are the program's own. `watched`: stderr is read on its way through. `aside`: nothing is read from
   * stdin, and stdout goes to stderr, for what is run beside the command. `captured`: stdout is given back.
   */
  readonly output: 'terminal' | 'watched' | 'aside' | 'captured';
  readonly onStart?: (child: ChildProcess) => void;
}

export interface Ended {
  /** As a shell tells it. */
  readonly code: number;
  readonly stdout: string;
  /** The end of stderr, where that was read. */
  readonly stderr: string;
}

/** A denial is a few lines; Helm may print pages of warnings before it. */
const MAX_KEPT_CHARACTERS = 65_536;

/** What a shell says of a program that is not there (127) or cannot be run (126). */
const NOT_FOUND = 127;
const NOT_RUNNABLE = 126;

/** For the last words of a program that has ended, on their way through the pipe. */
const PIPE_GRACE_MS = 2_000;

const STDIO = {
  terminal: ['inherit', 'inherit', 'inherit'],
  watched: ['inherit', 'inherit', 'pipe'],
  aside: ['ignore', 'pipe', 'pipe'],
  captured: ['ignore', 'pipe', 'pipe'],
} as const;

/** Runs a program to its end. Never rejects: one that cannot be started has ended, with a message on stderr. */
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
    // What it started in the background may keep the pipe open for as long as it likes.
    child.once('exit', (code, signal) => setTimeout(end, PIPE_GRACE_MS, code, signal).unref());
  });
