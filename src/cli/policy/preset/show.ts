import type { Preset, PresetAccount } from '../../../policy/presets/preset.ts';
import { findPreset, PRESETS } from '../../../policy/presets/presets.ts';
import { EXIT, Failure } from '../../failure.ts';
import { layOut } from '../../output/table.ts';

/** `keda:keda-operator`; in the namespace of the object: `<namespace>:rollout-operator`. */
export const showAccount = ({ namespace, name, nameIn }: PresetAccount): string =>
  `${namespace ?? '<namespace>'}:${nameIn === undefined ? name : `<${name}>`}`;

export const presetNamed = (name: string): Preset => {
  const preset = findPreset(name);
  if (preset === undefined)
    throw new Failure(`there is no preset ${JSON.stringify(name)}: see belay policy preset list`, EXIT.usage);
  return preset;
};

export const presetRows = (): readonly (readonly string[])[] => [
  ['NAME', 'AUTO', 'CONTROLLER', 'ACCOUNTS'],
  ...PRESETS.map(({ name, title, accounts, installedBy }) => [
    name,
    installedBy === undefined ? 'no' : 'yes',
    title,
    accounts.map(showAccount).join(', '),
  ]),
];

export const listPresets = (): void => {
  const rows = presetRows().map((row) => row.map((text) => ({ text })));
  process.stdout.write(`${layOut(rows).lines.join('\n')}\n`);
};

/** The preset in the words of `drift.allow`. An account that depends on the object stands in angle brackets, for people to replace. */
export const allowRulesOf = ({ accounts, fields }: Preset): readonly object[] => {
  const subjects = accounts.map((account) => {
    const [namespace = '', name = ''] = showAccount(account).split(':');
    return { kind: 'ServiceAccount', namespace, name };
  });
  return fields.map(({ group, kind, paths }) => ({ subjects, group, kind, paths: [...paths] }));
};

export const showPreset = async (name: string): Promise<void> => {
  const preset = presetNamed(name);
  const { toYaml } = await import('../../output/yaml.ts');
  const auto =
    preset.installedBy === undefined
      ? 'not part of auto'
      : `part of auto, where ${preset.installedBy.kind}.${preset.installedBy.group} is served`;
  process.stdout.write(
    `# ${preset.title}: ${preset.does} (${auto}).\n# Not while the release is frozen: for that, write whileFrozen: true.\n${toYaml({ drift: { allow: allowRulesOf(preset) } })}`,
  );
};
