import { type Command, Option } from 'commander';
import { addClusterOptions } from '../access/cluster-options.ts';
import type { Invocation } from '../invocation.ts';

export const addDoctor = (program: Command, invocation: Invocation): void => {
  const command = program
    .command('doctor')
    .description(
      "check that Belay guards the cluster, by dry runs, and what it depends on; -n is Belay's own namespace; exit code 0: it guards (there may be warnings), 2: something is broken, 1: it could not be told",
    )
    .option('--service <name>', "the Service that the API server calls; that of the webhooks unless told, or 'belay'")
    .option(
      '--probe-namespace <name>',
      "where to try writes, as dry runs; the context's namespace, or 'default', unless told",
    )
    .addOption(
      new Option('-o, --output <format>', 'how to show it').choices(['table', 'json', 'yaml']).default('table'),
    )
    .addHelpText(
      'after',
      '\nNothing is stored. What you may not read is said and left out: an administrator sees more than others.\nExit codes: 0 it guards, warnings or not; 2 something is broken; 1 nothing is, but whether it guards could not be told.',
    )
    .action(async (options) => {
      const { doctor } = await import('./doctor.ts');
      await doctor(options, invocation);
    });
  addClusterOptions(command);
  // Only in this command, --namespace is Belay's own namespace.
  const own = command.options.find(({ long }) => long === '--namespace');
  if (own !== undefined) own.description = "Belay's own namespace; that of its webhooks unless told, or belay-system";
};
