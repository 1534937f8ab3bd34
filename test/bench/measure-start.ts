import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { BUNDLE } from '../cluster/support/belay-command.ts';
import { type BenchPlane, namespaceOf } from './bench-plane.ts';
import { compared, type Line, milliseconds, times } from './report.ts';

/** A person waits for these. */
const FIGURES = { help: 150, status: 500 } as const;

interface Started {
  readonly name: string;
  readonly args: readonly string[];
}

/** Runs Node on these arguments to its end; resolves to how long that took, in milliseconds. */
const timed = async (args: readonly string[], kubeconfig: string): Promise<number> => {
  const startMs = performance.now();
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', KUBECONFIG: kubeconfig };
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}`);
  return performance.now() - startMs;
};

const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** How long the command line takes to start, beside a Node that runs nothing: turn by turn, so that a busy moment slows all alike. */
export const measureStart = async ({ kubeconfig }: BenchPlane, forMs: number): Promise<readonly Line[]> => {
  const programs: readonly Started[] = [
    { name: 'node', args: [join(import.meta.dirname, 'nothing.js')] },
    { name: 'help', args: [BUNDLE, '--help'] },
    { name: 'status', args: [BUNDLE, 'status', '-n', namespaceOf('belay')] },
  ];
  const taken = new Map<string, number[]>(programs.map(({ name }) => [name, []]));
  for (const { args } of programs) await timed(args, kubeconfig); // the first one reads the disk
  const endMs = performance.now() + forMs;
  do {
    for (const { name, args } of programs) taken.get(name)?.push(await timed(args, kubeconfig));
  } while (performance.now() < endMs);
  const median = (name: string): number => medianOf(taken.get(name) ?? []);
  const detail = (name: string): string => `${times(median(name) / median('node'))} a Node that runs nothing`;
  return [
    compared('belay --help, median', median('help'), ['<=', FIGURES.help], milliseconds, detail('help')),
    compared('belay status, median', median('status'), ['<=', FIGURES.status], milliseconds, detail('status')),
  ];
};
