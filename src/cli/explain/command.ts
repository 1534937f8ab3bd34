import type { Command } from 'commander';
import { addClusterOptions, type ClusterOptions } from '../access/cluster-options.ts';
import type { Invocation } from '../invocation.ts';

export const addExplain = (program: Command, invocation: Invocation): void => {
  const command = program
    .command('explain')
    .description('say which policy holds for a release and why, where its locks sit, and who holds it')
    .argument('<release>')
    .action(async (name: string, options: ClusterOptions) => {
      const { explain } = await import('./explain-lines.ts');
      await explain(name, options, invocation);
    });
  addClusterOptions(command);
};
