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
 * The command line. `belay --help` has to answer at once. So the `command.ts` of each command declares arguments and flags only, and its
 * action imports the rest when it runs.
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

/** Runs a command line, without Node and the script. Rejects with the error of the command. The command itself may set the exit code. */
export const runProgram = async (args: readonly string[], invocation: Invocation): Promise<void> => {
  const program = createProgram(invocation);
  // Shells, Helm and kubectl call this for completion. The words after it are an unfinished command line.
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
  // `helm lock upgrade web …`: a word that is no command of Belay is a command of Helm, or of a plugin that wraps Helm.
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
    // commander throws for help and for the version too, and has already printed its message.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  }
};
