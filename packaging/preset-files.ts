import { stringify } from 'yaml';
import { showAccount } from '../src/cli/policy/preset/show.ts';
import type { Preset } from '../src/policy/presets/preset.ts';
import { PRESETS } from '../src/policy/presets/presets.ts';

const MADE = '# Made by `make generate` of src/policy/presets/presets.ts: what is changed here by hand is lost.\n#\n';

const FOLDER = 'manifests/policies/presets';

const showKind = (group: string, kind: string): string => {
  if (kind === '*') return 'every kind';
  return group === '' ? kind : `${kind} (${group})`;
};

/** A patch by itself says nothing of its meaning, so that the comment does. */
const patchOf = ({ name, title, does, accounts, fields, installedBy }: Preset): string =>
  [
    `${MADE}# ${title}: ${does}. Left, while the release is not frozen, to ${accounts.map(showAccount).join(', ')}:`,
    ...fields.flatMap(({ group, kind, paths }) => paths.map((path) => `#   ${showKind(group, kind)}: ${path}`)),
    ...(installedBy === undefined ? ['# The preset `auto` leaves it out.'] : []),
    '#',
    '# Presets are no policies, but names in a policy. For a policy with a list `spec.drift.presets`, which may be empty:',
    '#',
    `#   kubectl patch releasepolicy default --type json --patch-file ${FOLDER}/${name}.yaml`,
    '#',
    `# \`belay policy preset apply ${name}\` does the same, and makes the list where there is none.`,
    stringify([{ op: 'add', path: '/spec/drift/presets/-', value: name }]),
  ].join('\n');

const COMPONENT = `${MADE}# Every preset that \`auto\` knows, for each policy of a kustomization. The policies need a list \`spec.drift.presets\`, which may be empty:
#
#   components: [<this folder>]
#
# For some of them, name these instead:  patches: [{target: {kind: ReleasePolicy}, path: <this folder>/keda.yaml}, ...]
`;

/** One patch for each preset, and a Kustomize component of them, by path from the project's root on. */
export const presetFiles = (): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(PRESETS.map((preset) => [`${FOLDER}/${preset.name}.yaml`, patchOf(preset)])),
  [`${FOLDER}/kustomization.yaml`]:
    COMPONENT +
    stringify({
      apiVersion: 'kustomize.config.k8s.io/v1alpha1',
      kind: 'Component',
      patches: PRESETS.filter(({ installedBy }) => installedBy !== undefined).map(({ name }) => ({
        target: { group: 'belay.dev', kind: 'ReleasePolicy' },
        path: `${name}.yaml`,
      })),
    }),
});
