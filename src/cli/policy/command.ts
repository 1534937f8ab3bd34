import { type Command, Option } from 'commander';
import { addClusterOptions } from '../access/cluster-options.ts';
import type { Invocation } from '../invocation.ts';
import type { PolicyOptions } from './policy.ts';
import { addPreset } from './preset/command.ts';

export const addPolicy = (program: Command, invocation: Invocation): void => {
  const command = program
    .command('policy')
    .description('list policies, and the releases that each is in force for')
    .argument('[name]')
    .addOption(new Option('-o, --output <format>', 'how to show them').choices(['wide', 'json', 'yaml', 'name']))
    .option('--no-headers', 'no first line that names the columns')
    .action(async (name: string | undefined, options: PolicyOptions) => {
      const { policy } = await import('./policy.ts');
      await policy(name, options, invocation);
    });
  addClusterOptions(command);
  addPreset(command, invocation);
};
