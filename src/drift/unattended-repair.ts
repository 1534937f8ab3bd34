import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Events } from '../events/events.ts';
import type { SweepIntervals } from '../intervals/intervals.ts';
import type { Policy } from '../policy/policy.ts';
import { showName } from '../text/escape.ts';
import { showReason } from './describe-drift.ts';
import { driftRepaired, driftRepairFailed } from './drift-events.ts';
import type { CheckedRelease, ObjectDrift } from './findings.ts';
import { createRepairHistory, MAX_REPAIRS } from './repair-history.ts';
import { type RepairOutcome, type RepairReleaseDependencies, repairRelease } from './repair-release.ts';
import type { SweepPlan } from './sweep-plan.ts';
import type { SweepCounter } from './sweep-stats.ts';

export interface UnattendedRepairDependencies extends RepairReleaseDependencies {
  readonly plan: Pick<SweepPlan, 'recheck'>;
  readonly stats: Pick<SweepCounter, 'countRepair'>;
  readonly events: Pick<Events, 'note'>;
  readonly intervals: SweepIntervals;
  readonly log: Logger;
}

/** How many objects have their repairs remembered: as many as the sweep remembers without drift. */
const MAX_REMEMBERED = 20_000;

const identityOf = ({ object: { group, kind, namespace, name } }: ObjectDrift): string =>
  JSON.stringify([group, kind, namespace, name]);

const logFieldsOf = ({ release }: CheckedRelease, { object }: ObjectDrift) => ({
  namespace: release.namespace,
  release: release.name,
  kind: showName(object.kind),
  name: showName(object.name),
});

/** Repairs, by Belay itself, what the policy lets it repair. Rejects only when the signal fires. */
export const createUnattendedRepair = (dependencies: UnattendedRepairDependencies) => {
  const { plan, stats, events, intervals, log, nowMs } = dependencies;
  const history = createRepairHistory(intervals);
  const toldOfFightAtMs = new LRUCache<string, number>({ max: MAX_REMEMBERED });

  const tellFight = (checked: CheckedRelease, drift: ObjectDrift): void => {
    const object = identityOf(drift);
    if (nowMs() - (toldOfFightAtMs.get(object) ?? Number.NEGATIVE_INFINITY) < intervals.tellAgainMs) return;
    toldOfFightAtMs.set(object, nowMs());
    stats.countRepair('fight');
    const why = `somebody keeps changing it, after ${MAX_REPAIRS} repairs within an hour it is left alone`;
    events.note(driftRepairFailed(checked, drift, why));
  };

  /** An object that somebody keeps changing is not repaired: this is told, and left to people. */
  const isWorthRepairing = (checked: CheckedRelease, drift: ObjectDrift, prune: boolean): boolean => {
    if (drift.problem === 'unmarked' || (drift.problem === 'added' && !prune)) return false;
    const may = history.mayRepair(identityOf(drift), nowMs());
    if (may === 'fight') tellFight(checked, drift);
    return may === 'yes';
  };

  const noteOutcome = (checked: CheckedRelease, drift: ObjectDrift, outcome: RepairOutcome): void => {
    const { release } = checked;
    const object = identityOf(drift);
    stats.countRepair(outcome.done);
    const line = logFieldsOf(checked, drift);
    switch (outcome.done) {
      case 'nothing':
        log.debug({ ...line, why: showReason(outcome.why) }, 'not repaired');
        return;
      case 'overtaken':
        plan.recheck(release, intervals.overtakenMs);
        return;
      case 'failed':
        history.noteFailed(object, nowMs());
        events.note(driftRepairFailed(checked, drift, outcome.why));
        log.warn({ ...line, why: showReason(outcome.why) }, 'repair failed');
        return;
      default:
        history.noteRepaired(object, nowMs());
        events.note(driftRepaired(checked, drift, outcome.done));
        log.info({ ...line, done: outcome.done }, 'repaired');
        plan.recheck(release, intervals.settleMs);
    }
  };

  return async (checked: CheckedRelease, policy: Policy, signal: AbortSignal): Promise<void> => {
    const { action, prune } = policy.drift.repair;
    if (action !== 'Apply') return;
    const drifted = checked.drifted.filter((drift) => isWorthRepairing(checked, drift, prune));
    if (drifted.length === 0) return;
    const how = { prune, dryRun: false, unattended: true };
    const note = (drift: ObjectDrift, outcome: RepairOutcome): void => noteOutcome(checked, drift, outcome);
    await repairRelease(dependencies, checked, how, signal, note, drifted);
  };
};
