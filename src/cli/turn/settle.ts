import type { Freeze } from '../../policy/lock.ts';
import { readFreeze } from '../../policy/lock-annotations.ts';
import type { ReleaseFacts } from '../../rules/in-flight.ts';
import { refOf } from '../../rules/in-flight.ts';
import { EXIT, Failure } from '../failure.ts';
import type { HeldLock } from './hold-lock.ts';
import type { LeaseTarget } from './lock-lease.ts';
import { createObserver } from './observer.ts';
import { mayInstall } from './parse-command-line.ts';
import { planRecovery } from './plan-recovery.ts';
import { recover } from './recover.ts';
import type { ReleaseReader } from './release-reader.ts';
import type { Early, Session } from './session.ts';
import { judgeStanding, newestRecord } from './standing.ts';
import { showFreeze, showTimeout, showWork } from './words.ts';

export type Settled = { readonly end: undefined; readonly facts: ReleaseFacts } | Early;

/** A recovered release may fail to stay so; more than this is no bad luck. */
const MAX_RECOVERIES = 3;

const findFreeze = async (
  reader: ReleaseReader,
  { namespace }: LeaseTarget,
  { records }: ReleaseFacts,
  nowMs: number,
): Promise<Freeze | undefined> => {
  for (const record of records) {
    const freeze = readFreeze(record.locks, refOf(record), nowMs);
    if (freeze !== undefined) return freeze;
  }
  const source = { kind: 'Namespace', namespace: '', name: namespace } as const;
  return readFreeze(await reader.namespaceLocks(namespace), source, nowMs);
};

/** Waits until nobody is at work on a release that is locked, and brings it back if it is stuck or failed. Throws a Failure (lock timeout). */
export const settle = async (session: Session, reader: ReleaseReader, lock: HeldLock): Promise<Settled> => {
  const { command, patience, intervals, progress, signals, hasBelay, nowMs, wallMs, pause } = session;
  const { target } = lock;
  const observer = createObserver(nowMs);
  const { options, kind } = command;
  let retryMs = intervals.firstRecoveryRetryMs;
  for (let recoveries = 0; ; ) {
    const facts = await reader.facts(target);
    if (signals.signal.aborted) return { end: 'signal' };
    if (options.skipLocked) {
      const freeze = await findFreeze(reader, target, facts, wallMs());
      if (freeze !== undefined) return { end: 'skipped', because: showFreeze(target, freeze, wallMs()) };
    }
    const newest = newestRecord(facts.records);
    const trace = `${newest?.name} ${newest?.resourceVersion} ${facts.claim?.resourceVersion}`;
    const unchangedMs = observer.unchangedMs(target.release, trace);
    const { stepSlackMs } = intervals;
    const standing = judgeStanding(facts, { nowMs: wallMs(), unchangedMs, hasBelay, left: lock.left, stepSlackMs });
    if (standing.at === 'work') {
      const what = showWork(target, standing);
      const isAlone = !hasBelay && standing.freeInMs === undefined;
      if (patience.isOver()) {
        throw new Failure(showTimeout(target, patience.timeoutMs, what, isAlone), EXIT.lockTimeout);
      }
      await patience.during(async () => {
        progress.waiting(what, patience.waitedMs());
        await pause(intervals.standingEveryMs);
      });
      continue;
    }
    progress.clear();
    const recovery = options.recover
      ? planRecovery(kind, mayInstall(command), standing, facts.records)
      : ({ do: 'nothing' } as const);
    if (recovery.do === 'nothing') {
      await recover(session, target, recovery);
      return { end: undefined, facts };
    }
    if (recoveries >= MAX_RECOVERIES) {
      throw new Failure(`release ${target.release} does not stay recovered`, EXIT.recoveryFailed);
    }
    const recovered = await recover(session, target, recovery);
    if (signals.signal.aborted) return { end: 'signal' };
    if (recovered === 'locked') return { end: 'skipped', because: `release ${target.release} is locked` };
    if (recovered === 'done') {
      recoveries += 1;
      continue;
    }
    const what = `release ${target.release} is at work after all`;
    if (patience.isOver()) throw new Failure(showTimeout(target, patience.timeoutMs, what, false), EXIT.lockTimeout);
    await patience.during(async () => {
      progress.waiting(what, patience.waitedMs());
      await pause(retryMs);
    });
    retryMs = Math.min(2 * retryMs, intervals.lastRecoveryRetryMs);
  }
};
