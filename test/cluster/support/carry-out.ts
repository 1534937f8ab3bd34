import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, posix, relative } from 'node:path';
import { promisify } from 'node:util';
import dockerignore from '@balena/dockerignore';
import type { Stage, Step } from './dockerfile.ts';

/** What .dockerignore lets through of a directory: a path in it, or undefined where there is no such file in the context. */
export const openContext = async (project: string): Promise<(path: string) => boolean> => {
  const ignored = dockerignore.default().add(await readFile(join(project, '.dockerignore'), 'utf8'));
  return (path) => path === '' || !ignored.ignores(path);
};

/**
 * Carries out the stages of a Dockerfile without Docker, each in a directory `<dir>/<number>` that stands for its root; what a base brings
 * is not in there. `RUN` runs with the Node that runs this, in the stage's working directory, so that its paths have to be relative.
 * Resolves with the directory of the last stage.
 */
export const carryOut = async (stages: readonly Stage[], project: string, dir: string): Promise<string> => {
  const isInContext = await openContext(project);
  const roots = stages.map((_stage, index) => join(dir, String(index)));
  const rootOf = (name: string): string => {
    const root = roots[stages.findIndex((stage) => stage.name === name)];
    if (root === undefined) throw new Error(`no stage is called ${name}`);
    return root;
  };
  for (const [index, stage] of stages.entries()) {
    const root = roots[index] ?? dir;
    await mkdir(root, { recursive: true });
    let workdir = '/';
    for (const step of stage.steps) {
      if (step.kind === 'workdir') {
        workdir = posix.resolve(workdir, step.path);
        await mkdir(join(root, workdir), { recursive: true });
      } else if (step.kind === 'run') await runIn(join(root, workdir), step.command);
      else {
        const to = join(root, posix.resolve(workdir, step.target), step.target.endsWith('/') ? '/' : '');
        const [source, allows] =
          step.from === undefined ? [project, isInContext] : ([rootOf(step.from), () => true] as const);
        await copy(step, source, to, allows);
      }
    }
  }
  return roots.at(-1) ?? dir;
};

const runIn = async (cwd: string, command: string): Promise<void> => {
  // How npm gets at its registry from this machine stands in its variables.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  await promisify(execFile)('sh', ['-c', command], { cwd, env, maxBuffer: 10_000_000 });
};

const copy = async (
  { sources }: Extract<Step, { kind: 'copy' }>,
  from: string,
  to: string,
  allows: (path: string) => boolean,
): Promise<void> => {
  for (const name of sources) {
    const source = join(from, name);
    if (!existsSync(source) || !allows(name)) throw new Error(`COPY ${name}: there is no such file in the context`);
    // Of a directory, its contents are copied; a file goes into a target that ends with a slash, under its own name.
    const target = (await stat(source)).isDirectory() || !to.endsWith('/') ? to : join(to, basename(name));
    await cp(source, target, {
      recursive: true,
      preserveTimestamps: true,
      filter: (path) => allows(relative(from, path)),
    });
  }
};
