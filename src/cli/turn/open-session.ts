import { setTimeout as sleep } from 'node:timers/promises';
import { isConflict, pathOf } from '../../kubernetes/api.ts';
import { parseDuration } from '../../text/duration.ts';
import { EXIT, Failure } from '../failure.ts';
import { environmentOf } from './command-line.ts';
import { acquireLock, type HeldLock, type LockDependencies } from './hold-lock.ts';
import { DEFAULT_STEP_MS, type LeaseTarget } from './lock-lease.ts';
import { createLockStore, NamespaceMissing, ridingOutages } from './lock-store.ts';
import { isFlagOn, lastValueOf, mayInstall } from './parse-command-line.ts';
import { createReleaseReader, findBelay, recordKindOf } from './release-reader.ts';
import type { Session } from './session.ts';
import { createWaitLimit } from './wait-limit.ts';
import { showHolder, showTimeout } from './words.ts';

/**
 * Ids of the locks that are held around this process, so that `helm lock any REL -- sh -c "helm lock upgrade REL …"` does not wait for
 * itself.
 */
const HELD = 'BELAY_LOCKS_HELD';
const SEPARATOR = ';';

/** What a session is opened with. */
export interface SessionRequest
  extends Pick<Session, 'command' | 'helm' | 'api' | 'intervals' | 'progress' | 'signals' | 'nowMs'> {
  /** This process, as the holder of its locks. */
  readonly id: string;
  readonly namespace: string;
  /** Each lock is added as soon as it is held, so that the caller can give it back however this ends. */
  readonly locks: HeldLock[];
}

export type Opened =
  | { readonly end: 'opened'; readonly session: Session }
  /** There is no namespace, and so nothing to lock. */
  | { readonly end: 'no namespace'; readonly release: string }
  | { readonly end: 'signal' };

const readHeld = (): ReadonlySet<string> =>
  new Set((process.env[HELD] ?? '').split(SEPARATOR).filter((held) => held !== ''));

/** Takes the locks of all releases, in their order. Undefined: all are held. Throws a Failure when the time is over. */
const acquireAll = async (
  request: SessionRequest,
  waiting: Pick<Session, 'waitLimit' | 'pause'>,
  inherited: ReadonlySet<string>,
): Promise<Exclude<Opened, { end: 'opened' }> | undefined> => {
  const { command, api, namespace, id, intervals, progress, signals, nowMs, locks } = request;
  const { waitLimit, pause } = waiting;
  let waitingFor = '';
  const dependenciesFor = (target: LeaseTarget): LockDependencies => ({
    store: ridingOutages(createLockStore(api), { intervals, nowMs, sleep }),
    me: {
      id,
      operation: command.kind === 'any' ? 'any command' : command.kind,
      stepMs: parseDuration(lastValueOf(command, '--timeout') ?? '') ?? DEFAULT_STEP_MS,
      sinceMs: Date.now(),
    },
    waitLimit,
    intervals,
    nowMs,
    wallMs: Date.now,
    sleep,
    pause,
    signal: signals.signal,
    inherited,
    onWait: (holder, ahead) => {
      waitingFor = showHolder(target, holder, ahead);
      progress.waiting(waitingFor, waitLimit.waitedMs());
    },
  });
  for (const release of command.releases) {
    const target = { namespace, release };
    const held = await waitLimit.during(() => acquire(dependenciesFor(target), request, target));
    progress.clear();
    if (held === 'no namespace') return { end: 'no namespace', release };
    if (held === undefined) {
      if (signals.received !== undefined) return { end: 'signal' };
      throw new Failure(showTimeout(target, command.options.lockTimeoutMs, waitingFor, false), EXIT.lockTimeout);
    }
    locks.push(held);
  }
  return undefined;
};

/** Takes one lock. For `install --create-namespace` it first creates the namespace, because the Lease is in it. */
const acquire = async (
  dependencies: LockDependencies,
  { command, api }: SessionRequest,
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

/** Says what cannot be looked at, or held against others, in this cluster. */
const sayLimits = (progress: Session['progress'], hasRecords: boolean, found: boolean | undefined): void => {
  if (!hasRecords)
    progress.say(
      `HELM_DRIVER=${process.env.HELM_DRIVER} keeps releases outside of the cluster: their status is not looked at`,
    );
  if (found === true) return;
  const why = found === false ? 'Belay is not in this cluster' : 'whether Belay is in this cluster may not be seen';
  progress.say(`${why}: the lock holds among users of this command alone`);
};

/** Waits for the locks, and finds out what the cluster can tell of the releases. Throws a Failure (lock timeout). */
export const openSession = async (request: SessionRequest): Promise<Opened> => {
  const { command, helm, api, id, intervals, progress, signals, nowMs, locks } = request;
  const waitLimit = createWaitLimit(command.options.lockTimeoutMs, nowMs);
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: signals.signal }).catch(() => undefined);
  const inherited = readHeld();
  const ended = await acquireAll(request, { waitLimit, pause }, inherited);
  if (ended !== undefined) return ended;
  const found = await findBelay(api);
  const kind = recordKindOf(process.env.HELM_DRIVER);
  sayLimits(progress, kind !== undefined, found);
  const hasBelay = found === true;
  const session: Session = {
    command,
    helm,
    api,
    reader: kind === undefined ? undefined : createReleaseReader(api, kind, hasBelay),
    hasBelay,
    locks,
    waitLimit,
    intervals,
    progress,
    signals,
    env: { ...environmentOf(command), [HELD]: [...inherited, id].join(SEPARATOR) },
    nowMs,
    wallMs: Date.now,
    pause,
  };
  return { end: 'opened', session };
};
