import { EXIT, Failure } from '../failure.ts';
import { GLOBAL_FLAGS } from './helm-flags.ts';
import type { LeaseTarget } from './lock-lease.ts';
import { pickFlags } from './parse-command-line.ts';
import type { Recovery } from './plan-recovery.ts';
import { readRefusals } from './refusals.ts';
import { runProgram } from './run-program.ts';
import type { Session } from './session.ts';

/** The result of a recovery. `busy`: another operation is in flight after all. `locked`: the release is frozen. */
export type Recovered = 'done' | 'busy' | 'locked';

/** Flags of an upgrade that a rollback takes too. */
const TREATMENT = { values: new Set(['--timeout', '--history-max']), switches: new Set<string>() };

const TIMEOUT = { values: new Set(['--timeout']), switches: new Set<string>() };

const helmArguments = ({ command }: Session, { release }: LeaseTarget, recovery: Recovery): readonly string[] => {
  const global = pickFlags(command, GLOBAL_FLAGS);
  if (recovery.do === 'roll back')
    return ['rollback', release, String(recovery.revision), ...pickFlags(command, TREATMENT), ...global];
  const keep = recovery.do === 'clear' && recovery.keepHistory ? ['--keep-history'] : [];
  // The release may be stuck in its hooks, and the objects that they would clean up were never created.
  return ['uninstall', release, '--no-hooks', ...keep, ...pickFlags(command, TIMEOUT), ...global];
};

/** Brings a release back by a command of Helm. Throws a Failure when the command fails. */
export const recover = async (session: Session, target: LeaseTarget, recovery: Recovery): Promise<Recovered> => {
  const { helm, progress, signals, env } = session;
  const { release } = target;
  if (recovery.do === 'nothing') {
    if (recovery.say !== undefined) progress.say(`release ${release}: ${recovery.say}`);
    return 'done';
  }
  if (recovery.do === 'give up') throw new Failure(`release ${release}: ${recovery.why}`, EXIT.recoveryFailed);
  const what = recovery.do === 'roll back' ? `rolling back to revision ${recovery.revision}` : 'clearing it';
  progress.say(`release ${release}: ${recovery.why}; ${what} first (--no-recover turns that off)`);
  const args = helmArguments(session, target, recovery);
  const { code, stderr } = await runProgram({
    program: helm,
    args,
    env,
    output: 'aside',
    onStart: (child) => signals.passOnTo(child),
  });
  if (code === 0) return 'done';
  const { isBusy, isLocked, isDenied } = readRefusals(recovery.do === 'clear' ? 'uninstall' : 'rollback', stderr);
  if (isBusy) return 'busy';
  if (isLocked && session.command.options.skipLocked) return 'locked';
  throw new Failure(
    `release ${release} could not be brought back: helm ${args.slice(0, 3).join(' ')} ended with ${code}`,
    isDenied ? EXIT.denied : EXIT.recoveryFailed,
  );
};
