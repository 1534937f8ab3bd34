import { type Command, Option } from 'commander';
import { addClusterOptions } from '../access/cluster-options.ts';
import type { Invocation } from '../invocation.ts';
import type { LockAction, LockOptions } from './actions.ts';

/** The reason of a lock. Belay shows it in every denial. */
export const reasonOption = (): Option =>
  new Option('-r, --reason <text>', 'why, for those who are held up').makeOptionMandatory();

export const forOption = (): Option => new Option('--for <duration>', 'ends by itself after that time: 30m, 8h, 2d');

export const untilOption = (): Option => new Option('--until <time>', 'ends by itself then: 2026-12-01T08:00:00Z');

/** Declares a command that sets or lifts locks: its releases or its namespace, and its cluster flags. */
export const declareLock = (
  program: Command,
  name: string,
  description: string,
  { argument = '[release...]', isForNamespaces = true, options = [] as readonly Option[] } = {},
): Command => {
  const command = program.command(name).description(description).argument(argument);
  for (const option of options) command.addOption(option);
  if (isForNamespaces)
    command.option('--namespace-wide', 'for all releases of the namespace, by an annotation on the Namespace');
  return addClusterOptions(command);
};

/** Sets the action of a command. The code of the action is loaded when the command runs. */
export const runAction = (
  command: Command,
  invocation: Invocation,
  choose: (actions: typeof import('./actions.ts')) => LockAction,
): void => {
  command.action(async (words: readonly string[], options: LockOptions) => {
    await choose(await import('./actions.ts'))(words, options, invocation);
  });
};
