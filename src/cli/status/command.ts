import { type Command, Option } from 'commander';
import { addClusterOptions } from '../access/cluster-options.ts';
import type { Invocation } from '../invocation.ts';

export const addStatus = (program: Command, invocation: Invocation): void => {
  const command = program
    .command('status')
    .description('show releases: chart, revision, drift, locks, who holds them')
    .argument('[release...]', 'releases; all of the namespace unless named')
    .option('-A, --all-namespaces', 'releases of all namespaces')
    .addOption(new Option('-o, --output <format>', 'how to show them').choices(['wide', 'json', 'yaml', 'name']))
    .option('-w, --watch', 'go on and show what changes')
    .option('--no-headers', 'no first line that names the columns')
    .action(async (names: readonly string[], options) => {
      const { status } = await import('./status.ts');
      await status(names, options, invocation);
    });
  addClusterOptions(command);
};
