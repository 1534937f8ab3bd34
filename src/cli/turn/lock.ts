import { isUnfinished, type ReleaseRecord } from '../../helm/record.ts';
import { openCluster } from '../access/cluster-access.ts';
import { EXIT } from '../failure.ts';
import { differingIntervals, INTERVALS_VARIABLE, readIntervals } from '../intervals.ts';
import type { Invocation } from '../invocation.ts';
import { newestIn } from '../releases/release-view.ts';
import { clusterOf, helmProgram, readCommandLine } from './command-line.ts';
import { lockHelp } from './help.ts';
import type { HeldLock } from './hold-lock.ts';
import { makeIdentity } from './identity.ts';
import { DEFAULT_STEP_MS, type LockState } from './lock-lease.ts';
import { openSession, type SessionRequest } from './open-session.ts';
import { createProgress } from './progress.ts';
import { type Outcome, runCommand } from './run-command.ts';
import { runProgram } from './run-program.ts';
import type { Session } from './session.ts';
import { catchSignals, exitCodeOf } from './signals.ts';

/** `helm lock …`. Resolves to the exit code, which is Helm's if Helm ran. Throws a Failure for failures of `lock` itself. */
export const lock = async (args: readonly string[], { name }: Invocation): Promise<number> => {
  const [first] = args;
  if (first === undefined || ['-h', '--help', 'help'].includes(first)) {
    process.stdout.write(lockHelp(name));
    return 0;
  }
  const helm = helmProgram(process.env);
  const command = await readCommandLine(args, helm);
  if (command.unlocked === 'help' && command.kind === 'any') {
    process.stdout.write(lockHelp(name));
    return 0;
  }
  const all = await readIntervals(process.env);
  const intervals = all.lock;
  const nowMs = (): number => performance.now();
  const progress = createProgress(process.stderr, nowMs);
  const signals = catchSignals(
    progress,
    process.stdin.isTTY === true || process.stderr.isTTY === true,
    intervals.killAfterMs,
  );
  try {
    if (command.unlocked !== undefined) {
      if (command.unlocked === 'new name')
        progress.say("a release with a new name cannot be anybody else's: running without a lock");
      return await runUnlocked({ helm, command, signals });
    }
    const access = await openCluster(clusterOf(command), { by: 'helm' });
    const differing = differingIntervals(all);
    if (differing.length > 0)
      progress.say(`${INTERVALS_VARIABLE} sets other intervals than the shipped ones: ${differing.join(', ')}`);
    return await runLocked({
      command,
      helm,
      ...access,
      id: makeIdentity(),
      locks: [],
      intervals,
      progress,
      signals,
      nowMs,
    });
  } finally {
    progress.clear();
    signals.stop();
  }
};

const runUnlocked = async ({
  helm,
  command,
  signals,
}: Pick<Session, 'helm' | 'command' | 'signals'>): Promise<number> => {
  const onStart = signals.passOnTo;
  return (await runProgram({ program: helm, args: command.run, output: 'terminal', onStart })).code;
};

/** Runs the command while its locks are held, and gives them back however it ends. */
const runLocked = async (request: SessionRequest): Promise<number> => {
  const { namespace, id, progress, locks } = request;
  let left: (held: HeldLock) => Promise<LockState['left']> = async (held) => held.left;
  try {
    const opened = await openSession(request);
    if (opened.end === 'signal') return toExitCode(request, opened);
    if (opened.end === 'no namespace') {
      progress.say(
        `there is no namespace ${namespace}, and so no release ${opened.release} to lock: running without a lock`,
      );
      return await runUnlocked(request);
    }
    const { session } = opened;
    const outcome = await runCommand(session);
    if (outcome.end === 'ran') {
      const { code, isRefused, before } = outcome;
      left = async (held) =>
        code === 0 || isRefused ? undefined : leftBy(session, held, id, before[locks.indexOf(held)]);
    }
    return toExitCode(session, outcome);
  } finally {
    progress.clear();
    for (const held of locks.toReversed()) {
      await giveBack(held, left).catch((error: unknown) => {
        progress.say(
          `the lock on release ${held.target.release} could not be given back, and counts as held for another minute: ${(error as Error).message}`,
        );
      });
    }
  }
};

/** The note on an operation that this command left unfinished. It saves the next holder the wait for the silence. */
const leftBy = async (
  { reader, command }: Session,
  { target }: HeldLock,
  id: string,
  before: ReleaseRecord | undefined,
): Promise<LockState['left']> => {
  if (reader === undefined || command.kind === 'any') return undefined;
  const { records } = await reader.facts(target);
  const newest = newestIn(records);
  if (newest === undefined || !isUnfinished(newest.status)) return undefined;
  // A revision from before belongs to somebody else, who may still be at work.
  if (newest.revision === before?.revision && newest.status === before.status) return undefined;
  return { id, operation: command.kind, stepMs: DEFAULT_STEP_MS, how: 'ended', revision: newest.revision };
};

const giveBack = async (held: HeldLock, left: (held: HeldLock) => Promise<LockState['left']>): Promise<void> =>
  held.giveBack(await left(held).catch(() => held.left));

const toExitCode = ({ progress, signals }: Pick<Session, 'progress' | 'signals'>, outcome: Outcome): number => {
  switch (outcome.end) {
    case 'ran':
      return outcome.code;
    case 'skipped':
      progress.say(`nothing done: ${outcome.because}`);
      return 0;
    case 'signal':
      return signals.received === undefined ? EXIT.failed : exitCodeOf(signals.received);
  }
};
