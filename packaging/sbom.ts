import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT, readProduct } from './product.ts';

/**
 * Writes the SBOMs: the packages that Belay runs with, by version and checksum, as npm reads them from package-lock.json. Packages for building
 * and testing are left out. SBOM_DIR is the output directory. The SBOM of the image lists Node and the C library.
 */
const { SBOM_DIR = join(ROOT, 'dist/sbom') } = process.env;
const FORMATS = { cyclonedx: 'cdx.json', spdx: 'spdx.json' } as const;

interface Manifest {
  readonly devDependencies?: unknown;
}

interface Lock {
  readonly packages: Readonly<Record<string, Manifest & { readonly dev?: boolean }>>;
}

const readJson = async <T>(name: string): Promise<T> => JSON.parse(await readFile(join(ROOT, name), 'utf8')) as T;

const withoutDevelopment = <T extends Manifest>({ devDependencies: _, ...manifest }: T) => manifest;

/** `npm sbom --omit=dev` leaves out whatever a development tool needs as well, `qs` of express say; so it is shown no such tool. */
const writeProject = async (directory: string): Promise<void> => {
  const manifest = await readJson<Manifest>('package.json');
  const lock = await readJson<Lock>('package-lock.json');
  const packages = Object.entries(lock.packages).filter(([, { dev }]) => dev !== true);
  const runs = {
    ...lock,
    packages: Object.fromEntries(packages.map(([path, entry]) => [path, withoutDevelopment(entry)])),
  };
  await writeFile(join(directory, 'package.json'), JSON.stringify(withoutDevelopment(manifest)));
  await writeFile(join(directory, 'package-lock.json'), JSON.stringify(runs));
};

const { version } = await readProduct();
const temporary = await mkdtemp(join(tmpdir(), 'belay-sbom-'));
try {
  const project = join(temporary, 'belay'); // In CycloneDX, npm calls it as its directory is called.
  await mkdir(project);
  await writeProject(project);
  await mkdir(SBOM_DIR, { recursive: true });
  for (const [format, suffix] of Object.entries(FORMATS)) {
    const args = ['sbom', `--sbom-format=${format}`, '--sbom-type=application', '--package-lock-only'];
    const { stdout } = await promisify(execFile)('npm', args, { cwd: project, maxBuffer: 50_000_000 });
    const name = `belay-${version}.${suffix}`;
    await writeFile(join(SBOM_DIR, name), stdout);
    console.log(name);
  }
} finally {
  await rm(temporary, { recursive: true, force: true });
}
