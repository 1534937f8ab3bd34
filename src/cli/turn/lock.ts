import { setTimeout as sleep } from 'node:timers/promises';
import { isUnfinished, type ReleaseRecord } from '../../helm/record.ts';
import { isConflict, pathOf } from '../../kubernetes/api.ts';
import { parseDuration } from '../../text/duration.ts';
import { type ClusterAccess, openCluster } from '../access/cluster-access.ts';
import { EXIT, Failure } from '../failure.ts';
import { differingIntervals, INTERVALS_VARIABLE, readIntervals } from '../intervals.ts';
import type { Invocation } from '../invocation.ts';
import { clusterOf, environmentOf, helmProgram, readCommandLine } from './command-line.ts';
import { lockHelp } from './help.ts';
import { acquireLock, type HeldLock, type LockDependencies } from './hold-lock.ts';
import { makeIdentity } from './identity.ts';
import { DEFAULT_STEP_MS, type LeaseTarget, type LockState } from './lock-lease.ts';
import { createLockStore, NamespaceMissing, ridingOutages } from './lock-store.ts';
import { isFlagOn, type LockedCommand, lastValueOf, mayInstall } from './parse-command-line.ts';
import { createPatience } from './patience.ts';
import { createProgress } from './progress.ts';
import { createReleaseReader, findBelay, recordKindOf } from './release-reader.ts';
import { type Outcome, runCommand } from './run-command.ts';
import { runProgram } from './run-program.ts';
import type { Session } from './session.ts';
import { catchSignals, exitCodeOf } from './signals.ts';
import { newestRecord } from './standing.ts';
import { showHolder, showTimeout } from './words.ts';

/** Locks that are held around this process, so that `helm lock any REL -- sh -c "helm lock upgrade REL …"` does not wait for itself. */
const HELD = 'BELAY_LOCKS_HELD';
const SEPARATOR = ';';

/** `helm lock …`: resolves with the exit code, which is that of Helm where Helm ran. Throws a Failure of its own. */
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
      const onStart = signals.passOnTo;
      return (await runProgram({ program: helm, args: command.run, output: 'terminal', onStart })).code;
    }
    const access = await openCluster(clusterOf(command), { by: 'helm' });
    const differing = differingIntervals(all);
    if (differing.length > 0)
      progress.say(`${INTERVALS_VARIABLE} sets other intervals than the shipped ones: ${differing.join(', ')}`);
    return await runLocked(command, helm, access, { intervals, progress, signals, nowMs });
  } finally {
    progress.clear();
    signals.stop();
  }
};

type Surroundings = Pick<Session, 'intervals' | 'progress' | 'signals' | 'nowMs'>;

const runLocked = async (
  command: LockedCommand,
  helm: string,
  { api, namespace }: ClusterAccess,
  { intervals, progress, signals, nowMs }: Surroundings,
): Promise<number> => {
  const { options } = command;
  const patience = createPatience(options.lockTimeoutMs, nowMs);
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: signals.signal }).catch(() => undefined);
  const id = makeIdentity();
  const inherited = new Set((process.env[HELD] ?? '').split(SEPARATOR).filter((held) => held !== ''));
  let waitingFor = '';
  const dependenciesFor = (target: LeaseTarget): LockDependencies => ({
    store: ridingOutages(createLockStore(api), { intervals, nowMs, sleep }),
    me: {
      id,
      operation: command.kind === 'any' ? 'any command' : command.kind,
      stepMs: parseDuration(lastValueOf(command, '--timeout') ?? '') ?? DEFAULT_STEP_MS,
      sinceMs: Date.now(),
    },
    patience,
    intervals,
    nowMs,
    wallMs: Date.now,
    sleep,
    pause,
    signal: signals.signal,
    inherited,
    onWait: (holder, ahead) => {
      waitingFor = showHolder(target, holder, ahead);
      progress.waiting(waitingFor, patience.waitedMs());
    },
  });

  const locks: HeldLock[] = [];
  let left: (held: HeldLock) => Promise<LockState['left']> = async (held) => held.left;
  try {
    for (const release of command.releases) {
      const target = { namespace, release };
      const held = await patience.during(() => acquire(dependenciesFor(target), command, api, target));
      progress.clear();
      if (held === 'no namespace') {
        progress.say(
          `there is no namespace ${namespace}, and so no release ${release} to lock: running without a lock`,
        );
        const onStart = signals.passOnTo;
        return (await runProgram({ program: helm, args: command.run, output: 'terminal', onStart })).code;
      }
      if (held === undefined) {
        if (signals.received !== undefined) return exitCodeOf(signals.received);
        throw new Failure(showTimeout(target, options.lockTimeoutMs, waitingFor, false), EXIT.lockTimeout);
      }
      locks.push(held);
    }
    const found = await findBelay(api);
    const kind = recordKindOf(process.env.HELM_DRIVER);
    if (kind === undefined)
      progress.say(
        `HELM_DRIVER=${process.env.HELM_DRIVER} keeps releases outside of the cluster: their status is not looked at`,
      );
    if (found !== true) {
      const why = found === false ? 'Belay is not in this cluster' : 'whether Belay is in this cluster may not be seen';
      progress.say(`${why}: the lock holds among users of this command alone`);
    }
    const reader = kind === undefined ? undefined : createReleaseReader(api, kind, found === true);
    const session: Session = {
      command,
      helm,
      api,
      reader,
      hasBelay: found === true,
      locks,
      patience,
      intervals,
      progress,
      signals,
      env: { ...environmentOf(command), [HELD]: [...inherited, id].join(SEPARATOR) },
      nowMs,
      wallMs: Date.now,
      pause,
    };
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

/** `install --create-namespace` is what makes the namespace: it is made first, because the lock lies in it. */
const acquire = async (
  dependencies: LockDependencies,
  command: LockedCommand,
  api: ClusterAccess['api'],
  target: LeaseTarget,
): Promise<HeldLock | 'no namespace' | undefined> => {
  for (let isMade = false; ; isMade = true) {
    try {
      return await acquireLock(dependencies, target);
    } catch (error) {
      if (!(error instanceof NamespaceMissing) || isMade) throw error;
      if (!mayInstall(command) || !isFlagOn(command, '--create-namespace')) return 'no namespace';
      // With the label that Helm gives it (pkg/action/install.go).
      const { namespace } = target;
      const metadata = { name: namespace, labels: { name: namespace } };
      await api
        .request({
          method: 'POST',
          path: pathOf('api', 'v1', 'namespaces'),
          body: { apiVersion: 'v1', kind: 'Namespace', metadata },
        })
        .catch((failed: unknown) => {
          if (!isConflict(failed)) throw failed;
        });
    }
  }
};

/** What a command leaves unfinished that was ended: the next one need not wait until it is sure of that. */
const leftBy = async (
  { reader, command }: Session,
  { target }: HeldLock,
  id: string,
  before: ReleaseRecord | undefined,
): Promise<LockState['left']> => {
  if (reader === undefined || command.kind === 'any') return undefined;
  const { records } = await reader.facts(target);
  const newest = newestRecord(records);
  if (newest === undefined || !isUnfinished(newest.status)) return undefined;
  // One that was there before is somebody else's, who may be at work.
  if (newest.revision === before?.revision && newest.status === before.status) return undefined;
  return { id, operation: command.kind, stepMs: DEFAULT_STEP_MS, how: 'ended', revision: newest.revision };
};

const giveBack = async (held: HeldLock, left: (held: HeldLock) => Promise<LockState['left']>): Promise<void> =>
  held.giveBack(await left(held).catch(() => held.left));

const toExitCode = ({ progress, signals }: Session, outcome: Outcome): number => {
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
