import { nodeLauncher } from './launchers.ts';
import type { PackageFile } from './package-file.ts';
import { type Product, SUMMARY } from './product.ts';

/** npm makes a script for each, on Windows too: kubectl's plugin and its completion come with it. */
const LAUNCHERS = [
  { name: 'belay' },
  { name: 'kubectl-belay', calledAs: 'kubectl-belay' },
  { name: 'kubectl_complete-belay', calledAs: 'kubectl-belay', args: ['__complete'] },
];

const manifest = ({ version, license, node: [major, minor] }: Product): object => ({
  name: 'belay',
  version,
  description: SUMMARY,
  license,
  engines: { node: `>=${major}.${minor}` },
  bin: Object.fromEntries(LAUNCHERS.map(({ name }) => [name, `bin/${name}.cjs`])),
  files: ['bin', 'belay.mjs', 'THIRD-PARTY-LICENCES.txt'],
});

export const npmPackage = (product: Product, shared: readonly PackageFile[]): readonly PackageFile[] => [
  { path: 'package.json', contents: `${JSON.stringify(manifest(product), undefined, 2)}\n` },
  ...LAUNCHERS.map(({ name, ...start }) =>
    nodeLauncher(product, { ...start, path: `bin/${name}.cjs`, program: '../belay.mjs' }),
  ),
  ...shared,
];
