import { type Command, Option } from 'commander';
import { addClusterOptions } from '../access/cluster-options.ts';
import type { Invocation } from '../invocation.ts';

export const addDrift = (program: Command, invocation: Invocation): void => {
  const command = program
    .command('drift')
    .description('show what is not as the chart has it; exit code 0: nothing, 2: drift, 1: it could not be told')
    .argument('[release...]', 'releases; all of the namespace unless named')
    .option('-A, --all-namespaces', 'releases of all namespaces')
    .addOption(
      new Option('-o, --output <format>', 'how to show it').choices(['diff', 'json', 'yaml', 'name']).default('diff'),
    )
    .option('--repair', "set the named releases back to the chart's values, with your own rights")
    .option('--prune', 'with --repair: also take away what others added inside of what the chart sets')
    .option('--dry-run', 'with --repair: only say what would be done')
    .action(async (names: readonly string[], options) => {
      const { drift } = await import('./drift.ts');
      await drift(names, options, invocation);
    });
  addClusterOptions(command);
};
