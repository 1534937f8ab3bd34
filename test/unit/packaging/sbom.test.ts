import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../../..');

interface CycloneDx {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly { readonly name: string; readonly version: string }[];
}

test('the SBOM lists what runs, in the version that runs, and nothing that only builds or tests it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'belay-sbom-'));
  try {
    const env = { ...process.env, SBOM_DIR: directory };
    await promisify(execFile)(process.execPath, [join(ROOT, 'packaging/sbom.ts')], { env });
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<
      'dependencies' | 'devDependencies',
      Record<string, string>
    > & { version: string };
    const bom = JSON.parse(await readFile(join(directory, `belay-${manifest.version}.cdx.json`), 'utf8')) as CycloneDx;
    assert.equal(bom.bomFormat, 'CycloneDX');
    assert.deepEqual([bom.metadata.component.name, bom.metadata.component.version], ['belay', manifest.version]);
    const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly version: string; readonly dev?: boolean }>>;
    };
    const runs = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);
    const named = runs.map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')} ${version}`);
    assert.deepEqual(
      [...new Set(bom.components.map(({ name, version }) => `${name} ${version}`))].sort(),
      [...new Set(named)].sort(),
    );
    for (const name of Object.keys(manifest.dependencies))
      assert.ok(named.includes(`${name} ${manifest.dependencies[name]}`), name);
    const spdx = JSON.parse(await readFile(join(directory, `belay-${manifest.version}.spdx.json`), 'utf8')) as {
      readonly packages: readonly unknown[];
    };
    assert.equal(spdx.packages.length, bom.components.length + 1);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
