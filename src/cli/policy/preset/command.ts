import type { Command } from 'commander';
import { addClusterOptions } from '../../access/cluster-options.ts';
import type { Invocation } from '../../invocation.ts';
import type { ApplyOptions } from './apply.ts';

/** `belay policy preset list|show|apply`. */
export const addPreset = (policy: Command, invocation: Invocation): void => {
  const preset = policy
    .command('preset')
    .description('controllers that are known to change what charts set, and which fields a policy can leave to them')
    .helpCommand(false);
  preset
    .command('list')
    .description('list them')
    .action(async () => {
      const { listPresets } = await import('./show.ts');
      listPresets();
    });
  preset
    .command('show')
    .description('show what one of them leaves to whom, as drift.allow of a policy has it')
    .argument('<preset>')
    .action(async (name: string) => {
      const { showPreset } = await import('./show.ts');
      await showPreset(name);
    });
  const apply = preset
    .command('apply')
    .description('add one to drift.presets of a policy')
    .argument('<preset>', 'its name, or auto: those whose custom resources are installed')
    .option('--policy <name>', 'the ReleasePolicy; it is made where there is none at all', 'default')
    .option('--account <namespace:name>', 'the service account of the controller, where the preset names another one')
    .option('--dry-run', 'say what would change, and change nothing')
    .action(async (name: string, options: ApplyOptions) => {
      const { applyPreset } = await import('./apply.ts');
      await applyPreset(name, options, invocation);
    });
  addClusterOptions(apply);
};
