import type { Freeze } from '../../policy/lock.ts';
import { readFreeze } from '../../policy/lock-annotations.ts';
import type { ReleaseFacts } from '../../rules/in-flight.ts';
import { refOf } from '../../rules/in-flight.ts';
import { EXIT, Failure } from '../failure.ts';
import { newestIn } from '../releases/release-view.ts';
import { declareDead } from './declare-dead.ts';
import type { HeldLock } from './hold-lock.ts';
import type { LeaseTarget } from './lock-lease.ts';
import { createObserver } from './observer.ts';
import { mayInstall } from './parse-command-line.ts';
import { planRecovery } from './plan-recovery.ts';
import { recover } from './recover.ts';
import { judgeCondition } from './release-condition.ts';
import type { ReleaseReader } from './release-reader.ts';
import type { EarlyEnd, Session } from './session.ts';
import { showFreeze, showTimeout, showWork } from './words.ts';

export type Settled = { readonly end: undefined; readonly facts: ReleaseFacts } | EarlyEnd;

/** A recovered release may break again. After this many recoveries it is not by chance. */
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

/** Waits until nobody works on the locked release, and recovers it if it is stuck or failed. Throws a Failure (lock timeout). */
export const settle = async (session: Session, reader: ReleaseReader, lock: HeldLock): Promise<Settled> => {
  const { command, waitLimit, intervals, progress, signals, hasBelay, nowMs, wallMs, pause } = session;
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
    const newest = newestIn(facts.records);
    const trace = `${newest?.name} ${newest?.resourceVersion} ${facts.claim?.resourceVersion}`;
    const unchangedMs = observer.unchangedMs(target.release, trace);
    const { stepSlackMs } = intervals;
    const condition = judgeCondition(facts, { nowMs: wallMs(), unchangedMs, hasBelay, left: lock.left, stepSlackMs });
    if (condition.at === 'work') {
      const what = showWork(target, condition);
      const isAlone = !hasBelay && condition.freeInMs === undefined;
      if (waitLimit.isOver()) {
        throw new Failure(showTimeout(target, waitLimit.timeoutMs, what, isAlone), EXIT.lockTimeout);
      }
      await waitLimit.during(async () => {
        progress.waiting(what, waitLimit.waitedMs());
        await pause(intervals.conditionEveryMs);
      });
      continue;
    }
    progress.clear();
    if (options.recover && condition.at === 'stuck' && condition.isUntold === true) {
      await declareDead(session.api, condition.newest);
    }
    const recovery = options.recover
      ? planRecovery(kind, mayInstall(command), condition, facts.records)
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
    if (waitLimit.isOver()) throw new Failure(showTimeout(target, waitLimit.timeoutMs, what, false), EXIT.lockTimeout);
    await waitLimit.during(async () => {
      progress.waiting(what, waitLimit.waitedMs());
      await pause(retryMs);
    });
    retryMs = Math.min(2 * retryMs, intervals.lastRecoveryRetryMs);
  }
};
