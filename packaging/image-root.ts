import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, readFile, realpath, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './product.ts';

/**
 * `node packaging/image-root.ts <directory>`: lays out the root of the image there, in the place of a distribution: the Node that runs
 * this, the libraries that it is linked with, and dist/. There is no shell in it, nothing to install with, and no other program.
 * Needs Linux; where the libraries come from packages of Debian, scanners are told of those as distroless images tell them.
 */

/** As manifests/base/deployment.yaml has it. */
const USER = 65532;

const run = async (command: string, ...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)(command, args, { env: { ...process.env, LC_ALL: 'C' } })).stdout;

/** What the dynamic linker would load, by the paths at which it looks for it. */
const librariesOf = async (program: string): Promise<readonly string[]> =>
  [...(await run('ldd', program)).matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path = '']) => path);

/** `libc6:amd64`; undefined where the file is of no package, or dpkg does not rule. */
const packageOf = async (path: string): Promise<string | undefined> => {
  for (const name of [path, await realpath(path), path.replace(/^\/usr/, '')]) {
    const found = await run('dpkg-query', '--search', name).catch(() => '');
    if (found !== '') return found.slice(0, found.indexOf(': '));
  }
  return undefined;
};

const copyInto = async (root: string, from: string, to = from): Promise<void> => {
  await mkdir(dirname(join(root, to)), { recursive: true });
  await copyFile(from, join(root, to)); // follows links: of `libstdc++.so.6`, what it leads to
};

const writeInto = async (root: string, path: string, contents: string): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), contents);
};

const copyIfThere = async (root: string, from: string, to?: string): Promise<void> => {
  if (await stat(from).catch(() => undefined)) await copyInto(root, from, to);
};

/** The same source and the same base give the same layer: neither the clock nor the umask shows. */
const settle = async (path: string, programs: readonly string[]): Promise<void> => {
  const isDirectory = (await stat(path)).isDirectory();
  if (isDirectory) for (const name of await readdir(path)) await settle(join(path, name), programs);
  await chmod(path, isDirectory || programs.includes(path) ? 0o755 : 0o644);
  await utimes(path, 0, 0);
};

const [root] = process.argv.slice(2);
if (root === undefined) throw new Error('where to? node packaging/image-root.ts <directory>');
await mkdir(root); // Not into what is there already: nothing else may get into the image.

const node = await realpath(process.execPath);
const libraries = await librariesOf(node);
await copyInto(root, node, '/bin/node');
for (const library of libraries) await copyInto(root, library);
// The bundle is the files of dist/; its directories are what else is made there.
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
