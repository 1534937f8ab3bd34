import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { buildPrograms } from './go-build.ts';
import { chooseKubernetes, newestModuleDir } from './kubernetes-versions.ts';
import { allProgramNames, linkerFlags, moduleVersion, type ProgramName, programs } from './programs.ts';
import { createProgress, type Progress } from './progress.ts';

/** `make up` says to put it on the PATH. Its links lead to what was found before: found again, each would lead to itself. */
const ownBinDir = join(import.meta.dirname, '..', '..', '..', '.cluster', 'bin');

export type Binaries<Name extends ProgramName = ProgramName> = Readonly<Record<Name, string>>;

/**
 * Paths of the named programs, those of Kubernetes of the version that BELAY_KUBERNETES names. First hit wins: `BELAY_BIN_<NAME>`
 * (taken as it is), the PATH (only of exactly the version that go.mod pins), the cache, a Go build into the cache.
 */
export async function findOrMakeBinaries<Name extends ProgramName>(
  names: readonly Name[],
  progress: Progress = createProgress(),
): Promise<Binaries<Name>> {
  const { moduleDir } = chooseKubernetes();
  if (moduleDir === newestModuleDir) return findOrMake(names, moduleDir, progress);
  const isOfKubernetes = (name: Name) => programs[name].module === 'k8s.io/kubernetes';
  const ofKubernetes = names.filter(isOfKubernetes);
  const others = names.filter((name) => !isOfKubernetes(name));
  return {
    ...(await findOrMake(others, newestModuleDir, progress)),
    ...(await findOrMake(ofKubernetes, moduleDir, progress)),
  };
}

/** What is of one module. */
async function findOrMake<Name extends ProgramName>(
  names: readonly Name[],
  moduleDir: string,
  progress: Progress,
): Promise<Binaries<Name>> {
  const goMod = await readFile(join(moduleDir, 'go.mod'), 'utf8');
  const cacheDir = await binaryCacheDir(moduleDir);
  const files = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, join(cacheDir, await fileName(name, moduleDir))] as const)),
  ) as Binaries<Name>;
  const found = await Promise.all(names.map((name) => find(name, goMod, files[name])));
  const missing = allProgramNames.filter(
    (name) => found[names.indexOf(name as Name)] === undefined && isOneOf(names, name),
  );
  if (missing.length > 0) await buildPrograms(missing, { moduleDir, goMod, cacheDir, files, progress });
  return Object.fromEntries(names.map((name, index) => [name, found[index] ?? files[name]])) as Binaries<Name>;
}

/** Of a program of our own, its source as well: then a change of it builds that one anew, and leaves the others as they are. */
async function fileName(name: ProgramName, moduleDir: string): Promise<string> {
  const { source } = programs[name];
  if (source === undefined) return name;
  const dir = join(moduleDir, source);
  const hash = createHash('sha256');
  for (const file of (await readdir(dir)).sort()) hash.update(file).update(await readFile(join(dir, file)));
  return `${name}-${hash.digest('hex').slice(0, 12)}`;
}

/** The key covers all that decides what a build yields: every module's version and checksum, the flags, the platform. */
async function binaryCacheDir(moduleDir: string): Promise<string> {
  const [goMod, goSum] = await Promise.all(['go.mod', 'go.sum'].map((file) => readFile(join(moduleDir, file), 'utf8')));
  if (goMod === undefined || goSum === undefined) throw new Error(`${moduleDir} has no go.mod and go.sum`);
  const hash = createHash('sha256').update(goMod).update(goSum).update(linkerFlags(goMod)).digest('hex').slice(0, 12);
  const key = `kubernetes-${moduleVersion(goMod, 'k8s.io/kubernetes')}-${process.platform}-${process.arch}-${hash}`;
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'belay', 'bin', key);
}

async function find(name: ProgramName, goMod: string, cached: string): Promise<string | undefined> {
  const variable = `BELAY_BIN_${name.toUpperCase().replaceAll('-', '_')}`;
  const given = process.env[variable];
  if (given) {
    if (!(await isExecutable(given))) throw new Error(`${variable}=${given} is not a program that can be run`);
    return given;
  }
  return (await findOnPath(name, goMod)) ?? ((await isExecutable(cached)) ? cached : undefined);
}

async function findOnPath(name: ProgramName, goMod: string): Promise<string | undefined> {
  const wanted = moduleVersion(goMod, programs[name].module).replace(/^v/, '');
  for (const command of programs[name].commands) {
    for (const dir of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(dir, command);
      if (!dir || resolve(dir) === ownBinDir || !(await isExecutable(path))) continue;
      const printed = await promisify(execFile)(path, programs[name].versionArgs, { timeout: 5_000 }).catch(
        () => undefined,
      );
      // The whole version and nothing more: "v1.36.3" is not in "v1.36.30", nor in "v1.36.3-gke.1".
      const versions = printed?.stdout
        .split(/[^\w.+-]+/)
        .map((word) => word.replace(/^v/, '').replace(/\+g[0-9a-f]+$/, ''));
      if (versions?.includes(wanted)) return path;
      break; // The first of that name is the one the PATH means.
    }
  }
  return undefined;
}

function isOneOf<Name extends ProgramName>(names: readonly Name[], name: ProgramName): name is Name {
  return (names as readonly ProgramName[]).includes(name);
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

// `node test/cluster/harness/binaries.ts [program ...]`: makes them and prints where they are.
if (import.meta.main) {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !(allProgramNames as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw new Error(`unknown program ${unknown.join(', ')}; there are ${allProgramNames.join(', ')}`);
  const wanted = names.length > 0 ? allProgramNames.filter((name) => names.includes(name)) : allProgramNames;
  for (const [name, path] of Object.entries(await findOrMakeBinaries(wanted))) console.log(`${name}\t${path}`);
}
