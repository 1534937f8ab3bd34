import type { Command } from 'commander';
import { EXIT, Failure } from '../src/cli/failure.ts';

/** Replaces src/cli/serve/command.ts in the packages for people, which do not contain the webhook. */
export const addServe = (program: Command): void => {
  program
    .command('serve', { hidden: true })
    .argument('[args...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(() => {
      throw new Failure(
        'this is the command line for people, without the webhook: belay serve runs in the cluster, from the image that the manifests name',
        EXIT.usage,
      );
    });
};
