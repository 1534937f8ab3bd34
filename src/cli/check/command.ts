import { Argument, type Command, InvalidArgumentError } from 'commander';
import type { OperationKind } from '../../helm/names.ts';
import { addClusterOptions, type ClusterOptions } from '../access/cluster-options.ts';
import type { Invocation } from '../invocation.ts';

interface Options extends ClusterOptions {
  readonly chart?: string;
  readonly version?: string;
  readonly revision?: number;
}

const revision = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Write the number of a revision.');
  return value;
};

export const addCheck = (program: Command, invocation: Invocation): void => {
  const command = program
    .command('check')
    .description('ask whether an operation would pass, without doing it')
    .addArgument(new Argument('<operation>').choices(['upgrade', 'install', 'rollback', 'uninstall']))
    .argument('<release>')
    .option('--chart <name>', "the chart's name; that of the release unless told")
    .option('--version <version>', "the chart's version; that of the release unless told")
    .option('--revision <number>', 'of a rollback: the revision to go back to', revision)
    .addHelpText('after', '\nExit code: 0 it would pass, 77 it would be refused. Nothing is stored.')
    .action(async (operation: OperationKind, name: string, { chart, version, revision, ...options }: Options) => {
      const { check } = await import('./check.ts');
      await check({ operation, name, chart, version, revision }, options, invocation);
    });
  addClusterOptions(command);
};
