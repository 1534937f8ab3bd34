import { nodeLauncher, shellLauncher } from './launchers.ts';
import type { PackageFile } from './package-file.ts';
import { DESCRIPTION, type Product, SUMMARY } from './product.ts';
import { toYaml } from './to-yaml.ts';

export const kubectlPlugin = (product: Product, shared: readonly PackageFile[]): readonly PackageFile[] => [
  shellLauncher(product, { path: 'kubectl-belay', start: 'kubectl-belay.cjs' }),
  // kubectl looks for it on the PATH. https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
  shellLauncher(product, { path: 'kubectl_complete-belay', start: 'kubectl-belay.cjs', args: ['__complete'] }),
  nodeLauncher(product, { path: 'kubectl-belay.cjs', calledAs: 'kubectl-belay', program: './belay.mjs' }),
  ...shared,
];

/** A placeholder for the address of the archives, which `make dist` takes as BASE_URL. */
const PLACEHOLDER = '<where the archives are>';

/**
 * For krew's index. One entry is enough, as Node is the same everywhere; but on Windows krew links to .exe files only
 * (https://github.com/kubernetes-sigs/krew/issues/131): there it is to be installed by npm.
 */
export const krewManifest = (
  { version, node: [major, minor] }: Product,
  archive: { readonly name: string; readonly sha256: string },
  baseUrl = PLACEHOLDER,
): string =>
  toYaml({
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'belay' },
    spec: {
      version: `v${version}`,
      homepage: baseUrl,
      shortDescription: SUMMARY,
      description: DESCRIPTION,
      // krew installs one program a plugin. https://github.com/kubernetes-sigs/krew/issues/812
      caveats: `Needs Node ${major}.${minor} or newer on the PATH.

For completion, kubectl wants a second program on the PATH:
  printf '#!/bin/sh\\nexec kubectl-belay __complete "$@"\\n' > ~/.krew/bin/kubectl_complete-belay
  chmod +x ~/.krew/bin/kubectl_complete-belay
`,
      platforms: [
        {
          selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['darwin', 'linux'] }] },
          uri: `${baseUrl}/${archive.name}`,
          sha256: archive.sha256,
          bin: 'kubectl-belay',
        },
      ],
    },
  });
