import { execFile, spawn } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { linkerFlags, type ProgramName, programs } from './programs.ts';
import { formatSeconds, type Progress } from './progress.ts';

/** From this version on, Go fetches the toolchain that go.mod asks for as a module; 1.24 is the first that knows `tool` lines. */
const oldestGo: readonly [number, number] = [1, 24];

export interface Build {
  readonly moduleDir: string;
  readonly goMod: string;
  readonly cacheDir: string;
  /** What each program is to be called: a path in `cacheDir`. */
  readonly files: Partial<Record<ProgramName, string>>;
  readonly progress: Progress;
}

/** Builds the named programs from the module in `moduleDir` into `cacheDir`, one `go build` each. */
export async function buildPrograms(
  names: readonly ProgramName[],
  { moduleDir, goMod, cacheDir, files, progress }: Build,
): Promise<void> {
  const env = { ...process.env, CGO_ENABLED: '0', ...(await toolchain(goMod, names)) };
  await mkdir(cacheDir, { recursive: true });
  progress.say(`Building ${names.join(', ')} with Go into ${cacheDir}. This happens once.`);
  let expectedSeconds = 0;
  let spentSeconds = 0;
  for (const [index, name] of names.entries()) {
    const startedMs = Date.now();
    const elapsed = () => (Date.now() - startedMs) / 1000;
    const left = names.slice(index + 1);
    // This machine against the one that the table was measured on, as far as the programs so far show it.
    const slowness = expectedSeconds > 0 ? Math.max(0.2, spentSeconds / expectedSeconds) : 1;
    const secondsLeft = () =>
      slowness * left.reduce((sum, next) => sum + programs[next].buildSeconds, 0) +
      Math.max(0, slowness * programs[name].buildSeconds - elapsed());
    const outlook = () =>
      secondsLeft() > 0 ? `about ${formatSeconds(secondsLeft())} to go` : 'takes longer than usual';
    const stop = progress.watch(
      () =>
        `building ${name} (${index + 1} of ${names.length}), ${formatSeconds(elapsed())} so far` +
        `${left.length === 0 ? '' : `; left: ${left.join(', ')}`}; ${outlook()}`,
    );
    try {
      await buildProgram(name, { moduleDir, goMod, cacheDir, file: files[name] ?? join(cacheDir, name), env });
    } finally {
      stop();
    }
    expectedSeconds += programs[name].buildSeconds;
    spentSeconds += elapsed();
    progress.say(`built ${name} in ${formatSeconds(elapsed())}`);
  }
}

async function buildProgram(
  name: ProgramName,
  {
    moduleDir,
    goMod,
    cacheDir,
    file,
    env,
  }: { moduleDir: string; goMod: string; cacheDir: string; file: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  // Renamed into place when it is whole, so that an interrupted build, or another one at the same time, leaves no half a program.
  const unfinished = join(cacheDir, `.${name}.${process.pid}`);
  const args = ['build', '-trimpath', '-ldflags', linkerFlags(goMod), '-o', unfinished, programs[name].package];
  const go = spawn('go', args, { cwd: moduleDir, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const killGo = () => go.kill('SIGKILL');
  process.once('exit', killGo);
  let stderr = '';
  go.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-20_000);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => go.on('error', reject).on('close', resolve));
    if (code !== 0) throw new Error(`go ${args.slice(0, 2).join(' ')} ${programs[name].package} failed:\n${stderr}`);
    await rename(unfinished, file);
  } finally {
    process.off('exit', killGo);
    await rm(unfinished, { force: true });
  }
}

/** The environment that lets the Go at hand build this module; throws with what to do when it cannot. */
async function toolchain(goMod: string, names: readonly ProgramName[]): Promise<NodeJS.ProcessEnv> {
  const needed = `To build ${names.join(', ')}, Go ${oldestGo.join('.')} or newer is needed on the PATH`;
  const remedy =
    'Install Go, or point BELAY_BIN_<PROGRAM> (such as BELAY_BIN_KUBE_APISERVER) to the programs you have.';
  const printed = await promisify(execFile)('go', ['env', 'GOVERSION', 'GOTOOLCHAIN'], {
    env: { ...process.env, GOTOOLCHAIN: process.env.GOTOOLCHAIN ?? 'local' },
  }).catch((cause: unknown) => {
    throw new Error(`${needed}; there is none.\n${remedy}`, { cause });
  });
  const version = printed.stdout.split('\n')[0]?.replace(/^go/, '') ?? '';
  const wanted = /^go (\S+)$/m.exec(goMod)?.[1] ?? oldestGo.join('.');
  if (isOlder(version, oldestGo.join('.'))) throw new Error(`${needed}; this is ${version}.\n${remedy}`);
  // A newer toolchain comes as a Go module, from wherever this machine's modules come from.
  return isOlder(version, wanted) ? { GOTOOLCHAIN: 'auto' } : {};
}

function isOlder(version: string, than: string): boolean {
  const [left, right] = [version, than].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (const [index, part] of (right ?? []).entries()) {
    const difference = (left?.[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
