import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { archiveOf } from './archive.ts';
import { bundleCompanion } from './bundle.ts';
import { chartPackage } from './chart-package.ts';
import { helmPlugin } from './helm-plugin.ts';
import { installFile } from './install-file.ts';
import { krewManifest, kubectlPlugin } from './kubectl-plugin.ts';
import { licencesOf } from './licences.ts';
import { npmPackage } from './npm-package.ts';
import type { PackageFile } from './package-file.ts';
import { ROOT, readProduct } from './product.ts';
import { readmeOf } from './readme.ts';

/**
 * Makes every package of the command line from one bundle: its directory as installed, and its archive. Also makes the chart and the install
 * file. The same source and the same Node give the same bytes.
 * BASE_URL is the address of the archives, for krew's manifest. IMAGE is the image that the cluster runs. DIST_DIR is the output directory.
 */
const { BASE_URL, DIST_DIR = join(ROOT, 'dist/packages') } = process.env;
const image = process.env.IMAGE || undefined;

const write = async (directory: string, { path, contents, executable }: PackageFile): Promise<void> => {
  const file = join(directory, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, contents);
  await chmod(file, executable ? 0o755 : 0o644);
};

const product = await readProduct();
const { contents, inputs } = await bundleCompanion();
const shared: readonly PackageFile[] = [
  { path: 'belay.mjs', contents },
  { path: 'README.md', contents: readmeOf(product) },
  { path: 'LICENSE', contents: await readFile(join(ROOT, 'LICENSE')) },
  { path: 'THIRD-PARTY-LICENCES.txt', contents: await licencesOf(inputs) },
];

/** `top` is the directory at the top of the archive, as the installing program expects it. */
const packages = [
  // Helm 3 expects plugin.yaml at the top of the archive, and names the plugin's directory after the archive.
  {
    directory: 'helm-legacy/lock',
    archive: `helm-lock-${product.version}.tgz`,
    files: helmPlugin(product, 'legacy', shared),
  },
  // The name that `helm plugin package` of Helm 4 gives.
  {
    directory: 'helm-v1/lock',
    archive: `lock-${product.version}.tgz`,
    top: 'lock',
    files: helmPlugin(product, 'v1', shared),
  },
  { directory: 'kubectl', archive: `kubectl-belay-${product.version}.tar.gz`, files: kubectlPlugin(product, shared) },
  { directory: 'npm', archive: `npm-belay-${product.version}.tgz`, top: 'package', files: npmPackage(product, shared) },
] as const;

// Writes beside the old files, which stay until all is done.
const unfinished = `${DIST_DIR}.${process.pid}`;
const sums: string[] = [];
const add = async (name: string, bytes: string | Uint8Array): Promise<string> => {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await write(unfinished, { path: name, contents: bytes });
  sums.push(`${sha256}  ${name}\n`);
  return sha256;
};

try {
  for (const { directory, archive, files, ...rest } of packages) {
    for (const file of files) await write(join(unfinished, directory), file);
    const sha256 = await add(archive, await archiveOf(files, 'top' in rest ? rest.top : undefined));
    if (directory === 'kubectl') await add('belay.yaml', krewManifest(product, { name: archive, sha256 }, BASE_URL));
  }
  // The name that `helm package` gives.
  await add(`belay-${product.version}.tgz`, await archiveOf(await chartPackage(product, image), 'belay'));
  await add('install.yaml', await installFile(image));
  await write(unfinished, {
    path: 'SHA256SUMS',
    contents: sums.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join(''),
  });
  await rm(DIST_DIR, { recursive: true, force: true });
  await rename(unfinished, DIST_DIR);
} finally {
  await rm(unfinished, { recursive: true, force: true });
}
process.stdout.write(sums.join(''));
