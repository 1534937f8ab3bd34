import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

interface Locked {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
}

const read = async (file: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../../../${file}`, import.meta.url), 'utf8'));
const { packages } = (await read('package-lock.json')) as { packages: Record<string, Locked> };
const own = (await read('package.json')) as Record<'dependencies' | 'devDependencies', Record<string, string>> & {
  allowScripts: Record<string, boolean>;
};
const locked = Object.entries(packages).filter(([path]) => path !== '');

test('every package is locked by its digest', () => {
  assert.ok(locked.length > 100);
  const loose = locked.filter(
    ([, { integrity = '', link }]) => link === true || !/^sha512-[\w+/]{86}==$/.test(integrity),
  );
  assert.deepEqual(loose, []);
});

test('no package comes from a place of its own: the registry that is set up has them all', () => {
  assert.deepEqual(
    locked.filter(([, { resolved }]) => resolved !== undefined),
    [],
  );
});

test('every dependency is one version and not a range', () => {
  for (const [name, version] of Object.entries({ ...own.dependencies, ...own.devDependencies }))
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
});

test('only those packages run scripts at install that package.json allows', () => {
  const allowed = Object.keys(own.allowScripts);
  for (const [path, { hasInstallScript }] of locked)
    if (hasInstallScript) assert.ok(allowed.includes(path.replace(/^.*node_modules\//, '')), path);
});

/** Each of these licences permits distribution of the whole under Apache-2.0 with its notice. */
const LICENCES = [
  'MIT',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'BlueOak-1.0.0',
  'PSF-2.0',
];

test('every package in dist has a licence that permits it', () => {
  for (const [path, { dev, license = '' }] of locked) {
    if (dev === true) continue;
    // Of several it is ours to choose: node-forge.
    const choices = license.replace(/^\((.*)\)$/, '$1').split(' OR ');
    assert.ok(
      choices.some((choice) => LICENCES.includes(choice)),
      `${path}: ${license}`,
    );
  }
});
