import type { Command } from 'commander';
import type { Invocation } from '../invocation.ts';

/** The commands of Helm that `lock` wraps. `any` wraps any other program. */
const WRAPPED: Readonly<Record<string, string>> = {
  upgrade: 'run helm upgrade when it is its turn',
  install: 'run helm install when it is its turn',
  rollback: 'run helm rollback when it is its turn',
  uninstall: 'run helm uninstall when it is its turn',
  any: 'run anything else when it is its turn',
};

export const isWrapped = (word: string): boolean => Object.hasOwn(WRAPPED, word);

/** Declares a command whose arguments are Helm's. parse-command-line.ts reads them. */
const declare = (program: Command, name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .argument('[args...]')
    .allowUnknownOption()
    // Otherwise commander would remove the `--` before the command of `any`.
    .passThroughOptions()
    .helpOption(false);

/** `belay lock upgrade …`, or `helm lock upgrade …` as a plugin of Helm. */
export const addLock = (program: Command, invocation: Invocation): void => {
  if (invocation.by === 'helm') {
    // These are declared only for the help. runProgram passes their command lines to runLock.
    for (const [name, description] of Object.entries(WRAPPED)) declare(program, name, description);
    return;
  }
  declare(program, 'lock', 'run a Helm command when it is its turn: lock upgrade|install|rollback|uninstall|any …')
    .usage('upgrade|install|rollback|uninstall|any RELEASE [CHART] [any flags of helm]')
    .action(async (args: readonly string[]) => {
      await runLock(args, invocation);
    });
};

/** Runs `lock`, and ends with the exit code of Helm. */
export const runLock = async (args: readonly string[], invocation: Invocation): Promise<void> => {
  const { lock } = await import('./lock.ts');
  process.exitCode = await lock(args, invocation);
};
