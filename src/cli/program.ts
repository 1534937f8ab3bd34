import { Command, CommanderError } from 'commander';
import { escapeText } from '../text/escape.ts';
import { VERSION } from '../version.ts';
import { addBreak } from './annotate/commands/break.ts';
import { addFreeze } from './annotate/commands/freeze.ts';
import { addNoDowngrade } from './annotate/commands/no-downgrade.ts';
import { addOpen } from './annotate/commands/open.ts';
import { addPin } from './annotate/commands/pin.ts';
import { addCheck } from './check/command.ts';
import { addCompletion } from './completion/command.ts';
import { addDoctor } from './doctor/command.ts';
import { addDrift } from './drift/command.ts';
import { addExplain } from './explain/command.ts';
import { EXIT } from './failure.ts';
import type { Invocation } from './invocation.ts';
import { moveLeadingFlags } from './leading-flags.ts';
import { addPolicy } from './policy/command.ts';
import { addServe } from './serve/command.ts';
import { addStatus } from './status/command.ts';
import { addLock, isWrapped, runLock } from './turn/command.ts';

/** In the order in which help lists them. */
const COMMANDS = [
  addLock,
  addStatus,
  addExplain,
  addCheck,
  addDrift,
  addPolicy,
  addFreeze,
  addPin,
  addNoDowngrade,
  addOpen,
  addBreak,
  addDoctor,
];

const EXIT_CODES = `
Exit codes: ${EXIT.usage} wrong usage, ${EXIT.unreachable} cluster unreachable, ${EXIT.lockTimeout} waited too long, ${EXIT.recoveryFailed} recovery failed,
${EXIT.denied} refused by Belay or RBAC, ${EXIT.failed} anything else. A Helm that is wrapped gives its own.`;

/**
 * The command line. What a command needs is loaded when it runs, so that `belay --help` answers at once: the files in commands/ declare
 * arguments and flags, and import nothing heavy but in their actions.
 */
export const createProgram = (invocation: Invocation): Command => {
  const program = new Command(invocation.name)
    .version(VERSION)
    .showHelpAfterError('(add --help to see what there is)')
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText('after', EXIT_CODES)
    .configureOutput({
      outputError: (text, write) => write(escapeLines(text.replace(/^error: /, 'Error: '))),
    });
  if (invocation.by === 'belay') {
    program.description('Makes Helm releases safe to share: an admission webhook for Kubernetes.');
    addServe(program);
  } else {
    program.description('Shows and sets the locks of Helm releases, and runs Helm when it is its turn.');
  }
  for (const add of COMMANDS) add(program, invocation);
  if (invocation.by === 'belay') addCompletion(program);
  return program;
};

const escapeLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => escapeText(line))
    .join('\n');

/** Runs a command line, given without Node and the script. Rejects with what a command throws; what it set as exit code stands. */
export const runProgram = async (args: readonly string[], invocation: Invocation): Promise<void> => {
  const program = createProgram(invocation);
  // By shells, and by Helm and kubectl for their plugins: the rest is not a command line yet.
  if (args[0] === '__complete') {
    const { complete } = await import('./completion/complete.ts');
    process.stdout.write(await complete(program, args.slice(1), invocation));
    return;
  }
  const moved = moveLeadingFlags(args);
  const [word] = moved;
  if (word === undefined) {
    program.outputHelp();
    return;
  }
  // `helm lock upgrade web …`: any word that is no command of ours is one of Helm's, or of a plugin that wraps it.
  const isOurs =
    !isWrapped(word) &&
    (word.startsWith('-') || word === 'help' || program.commands.some((command) => command.name() === word));
  if (invocation.by === 'helm' && !isOurs) {
    await runLock(moved, invocation);
    return;
  }
  try {
    await program.parseAsync([...moved], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and the version come as exceptions too; whatever else commander has to say, it has said.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  }
};
