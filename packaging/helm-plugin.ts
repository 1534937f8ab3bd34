import { nodeLauncher, shellLauncher, windowsLauncher } from './launchers.ts';
import type { PackageFile } from './package-file.ts';
import { DESCRIPTION, type Product, SUMMARY } from './product.ts';
import { toYaml } from './to-yaml.ts';

/**
 * One list for all: Helm before 3.17 takes none but those that name their system, and no arguments. No `command` beside it, which Helm 4
 * refuses. https://helm.sh/docs/topics/plugins/
 */
const COMMANDS = [
  { os: 'linux', command: '$HELM_PLUGIN_DIR/lock.sh' },
  { os: 'darwin', command: '$HELM_PLUGIN_DIR/lock.sh' },
  { os: 'windows', command: '$HELM_PLUGIN_DIR\\lock.cmd' },
];

/** As Helm 3 reads it, and Helm 4 too. Unknown fields are an error to Helm 3. */
const legacy = ({ version }: Product): object => ({
  name: 'lock',
  version,
  usage: SUMMARY,
  description: DESCRIPTION,
  platformCommand: COMMANDS,
});

/** Helm 4 alone. Unknown fields are an error here as well (helm.sh/helm/v4/internal/plugin: MetadataV1, ConfigCLIV1). */
const v1 = ({ version }: Product): object => ({
  apiVersion: 'v1',
  type: 'cli/v1',
  name: 'lock',
  version,
  runtime: 'subprocess',
  config: { usage: 'lock COMMAND', shortHelp: SUMMARY, longHelp: DESCRIPTION },
  runtimeConfig: { platformCommand: COMMANDS },
});

export type HelmPluginFormat = 'legacy' | 'v1';

/** `shared` is what every package has: the program, the licences. */
export const helmPlugin = (
  product: Product,
  format: HelmPluginFormat,
  shared: readonly PackageFile[],
): readonly PackageFile[] => [
  { path: 'plugin.yaml', contents: toYaml(format === 'legacy' ? legacy(product) : v1(product)) },
  shellLauncher(product, { path: 'lock.sh', start: 'lock.cjs' }),
  windowsLauncher(product, { path: 'lock.cmd', start: 'lock.cjs' }),
  // What Helm calls for completion. Without a completion.yaml beside it, it is asked about everything, so that nothing is said twice.
  shellLauncher(product, { path: 'plugin.complete', start: 'lock.cjs', args: ['__complete'] }),
  nodeLauncher(product, { path: 'lock.cjs', program: './belay.mjs' }),
  ...shared,
];
