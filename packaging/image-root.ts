import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, readFile, realpath, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './product.ts';

/**
 * `node packaging/image-root.ts <directory>`: creates the root file system of the image: the running Node, the libraries that it
 * is linked with, and dist/. The image has no distribution, no shell, no package manager and no other program.
 * Needs Linux. If the libraries come from Debian packages, the image lists these packages for scanners, as distroless images do.
 */

/** As manifests/base/deployment.yaml has it. */
const USER = 65532;

const run = async (command: string, ...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)(command, args, { env: { ...process.env, LC_ALL: 'C' } })).stdout;

/** The libraries that the dynamic linker loads, by the paths at which it looks for them. */
const librariesOf = async (program: string): Promise<readonly string[]> =>
  [...(await run('ldd', program)).matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path = '']) => path);

/** `libc6:amd64`. Undefined: the file belongs to no package, or the system has no dpkg. */
const packageOf = async (path: string): Promise<string | undefined> => {
  for (const name of [path, await realpath(path), path.replace(/^\/usr/, '')]) {
    const found = await run('dpkg-query', '--search', name).catch(() => '');
    if (found !== '') return found.slice(0, found.indexOf(': '));
  }
  return undefined;
};

const copyInto = async (root: string, from: string, to = from): Promise<void> => {
  await mkdir(dirname(join(root, to)), { recursive: true });
  await copyFile(from, join(root, to)); // follows links: copies the target of `libstdc++.so.6`
};

const writeInto = async (root: string, path: string, contents: string): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), contents);
};

const copyIfThere = async (root: string, from: string, to?: string): Promise<void> => {
  if (await stat(from).catch(() => undefined)) await copyInto(root, from, to);
};

/** Sets times and modes, so that the same source and the same base give the same layer. */
const settle = async (path: string, programs: readonly string[]): Promise<void> => {
  const isDirectory = (await stat(path)).isDirectory();
  if (isDirectory) for (const name of await readdir(path)) await settle(join(path, name), programs);
  await chmod(path, isDirectory || programs.includes(path) ? 0o755 : 0o644);
  await utimes(path, 0, 0);
};

const [root] = process.argv.slice(2);
if (root === undefined) throw new Error('where to? node packaging/image-root.ts <directory>');
await mkdir(root); // Fails if the directory exists: no other file may get into the image.

const node = await realpath(process.execPath);
const libraries = await librariesOf(node);
await copyInto(root, node, '/bin/node');
for (const library of libraries) await copyInto(root, library);
// The bundle is the files of dist/. The directories in dist/ are other packages.
for (const entry of await readdir(join(ROOT, 'dist'), { withFileTypes: true }))
  if (entry.isFile() && !entry.name.startsWith('.'))
    await copyInto(root, join(ROOT, 'dist', entry.name), `/belay/${entry.name}`);
await copyInto(root, join(ROOT, 'LICENSE'), '/belay/LICENSE');

await writeInto(root, '/etc/passwd', `belay:x:${USER}:${USER}::/:/sbin/nologin\n`);
await writeInto(root, '/etc/group', `belay:x:${USER}:\n`);
await writeInto(root, '/etc/nsswitch.conf', 'hosts: files dns\n');
await copyIfThere(root, '/etc/os-release');
await copyIfThere(root, join(dirname(dirname(node)), 'LICENSE'), '/usr/share/doc/node/LICENSE');

const packages = new Set(await Promise.all(libraries.map(packageOf)));
for (const name of packages) {
  if (name === undefined) continue;
  const bare = name.replace(/:.*/, '');
  await writeInto(root, `/var/lib/dpkg/status.d/${bare}`, await run('dpkg-query', '--status', name));
  await copyIfThere(root, `/usr/share/doc/${bare}/copyright`);
}

const isLoader = (path: string): boolean => basename(path).startsWith('ld-');
await settle(root, [
  join(root, 'bin/node'),
  join(root, 'belay/belay.js'),
  ...libraries.filter(isLoader).map((path) => join(root, path)),
]);
const version = (await readFile(join(ROOT, 'package.json'), 'utf8')).match(/"version": "([^"]+)"/)?.[1];
console.log(
  `Belay ${version} on Node ${process.versions.node}: ${libraries.length} libraries of ${[...packages].join(', ')}`,
);
