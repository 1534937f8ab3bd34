import type { Command } from 'commander';
import type { Invocation } from '../invocation.ts';

/** Of Helm's commands, those that are wrapped; `any` comes before whatever else is to be run when it is its turn. */
const WRAPPED: Readonly<Record<string, string>> = {
  upgrade: 'run helm upgrade when it is its turn',
  install: 'run helm install when it is its turn',
  rollback: 'run helm rollback when it is its turn',
  uninstall: 'run helm uninstall when it is its turn',
  any: 'run anything else when it is its turn',
};

export const isWrapped = (word: string): boolean => Object.hasOwn(WRAPPED, word);

/** What follows is Helm's command line, and is taken apart by who knows Helm's flags. */
const declare = (program: Command, name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .argument('[args...]')
    .allowUnknownOption()
    // Or commander would take away the `--` that divides our words from a command's.
    .passThroughOptions()
    .helpOption(false);

/** `belay lock upgrade …`; as a plugin of Helm that is called lock, `helm lock upgrade …`. */
export const addLock = (program: Command, invocation: Invocation): void => {
  if (invocation.by === 'helm') {
    // Only to be listed: runProgram hands them over as they are.
    for (const [name, description] of Object.entries(WRAPPED)) declare(program, name, description);
    return;
  }
  declare(program, 'lock', 'run a Helm command when it is its turn: lock upgrade|install|rollback|uninstall|any …')
    .usage('upgrade|install|rollback|uninstall|any RELEASE [CHART] [any flags of helm]')
    .action(async (args: readonly string[]) => {
      await runLock(args, invocation);
    });
};

/** Helm's exit code is that of the process. */
export const runLock = async (args: readonly string[], invocation: Invocation): Promise<void> => {
  const { lock } = await import('./lock.ts');
  process.exitCode = await lock(args, invocation);
};
