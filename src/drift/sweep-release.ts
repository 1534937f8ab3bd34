import type { Logger } from 'pino';
import type { LiveFacts } from '../facts/live-facts.ts';
import type { Policies } from '../facts/policies.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import { createSituations } from '../facts/situation.ts';
import type { ReleaseName } from '../helm/names.ts';
import type { SweepIntervals } from '../intervals/intervals.ts';
import type { Policy } from '../policy/policy.ts';
import { type FindDependencies, findGoverning, findReleaseDrift } from './find-release-drift.ts';
import { type CheckedRelease, type ReleaseDrift, skip } from './findings.ts';
import type { KnownDrift } from './known-drift.ts';
import type { RepairReleaseDependencies } from './repair-release.ts';
import type { SweepPlan } from './sweep-plan.ts';
import type { SweepCounter } from './sweep-stats.ts';
import { createDriftTeller, type TellDriftDependencies } from './tell-drift.ts';
import { createUnattendedRepair } from './unattended-repair.ts';

export interface SweepReleaseDependencies extends TellDriftDependencies {
  /** How objects are read and compared. */
  readonly find: FindDependencies;
  readonly index: ReleaseIndex;
  readonly live: LiveFacts;
  readonly policies: Pick<Policies, 'inForce'>;
  readonly known: KnownDrift;
  readonly plan: Pick<SweepPlan, 'recheck'>;
  readonly stats: SweepCounter;
  readonly intervals: SweepIntervals;
  readonly log: Logger;
}

export interface ReleaseSweep {
  /** The policy in force, as far as memory knows. */
  policyOf(release: ReleaseName): Policy;
  /** Looks at one release, tells of drift, and repairs it where the policy says so. Rejects when the release could not be looked at. */
  sweep(release: ReleaseName, signal: AbortSignal): Promise<void>;
}

export const createReleaseSweep = (dependencies: SweepReleaseDependencies): ReleaseSweep => {
  const { find, index, live, policies, known, plan, stats, intervals, log, nowMs } = dependencies;

  // Without `refreshed`: the sweep goes on with the policies in memory, and looks at each release again soon.
  const situations = createSituations({ index, live, policies: { inForce: policies.inForce }, nowMs });
  const situation: RepairReleaseDependencies['situation'] = (release, signal) => situations.live(release, signal);

  const tell = createDriftTeller(dependencies);
  const repair = createUnattendedRepair({ ...dependencies, api: find.api, kinds: find.kinds, situation });

  const findDrift = async (release: ReleaseName, policy: Policy, signal: AbortSignal): Promise<ReleaseDrift> => {
    if (index.namespace(release.namespace)?.terminating === true) return skip(release, 'namespace is terminating');
    if (policy.drift.action === 'Off') return skip(release, 'policy says Off');
    return findReleaseDrift(find, release, { facts: index.facts(release), policy }, signal);
  };

  const noteSkipped = ({ release, why }: Extract<ReleaseDrift, { checked: false }>): void => {
    stats.countRelease(why);
    log.debug({ namespace: release.namespace, release: release.name, why }, 'not swept');
    // While an operation is in flight, known drift stays known until the operation is over.
    if (why === 'operation in flight') plan.recheck(release, intervals.overtakenMs);
    else known.forget(release);
  };

  /** Memory may not know yet that an operation has begun or ended. So nothing is told before the facts have been read live. */
  const isStillGoverned = async ({ release, governing }: CheckedRelease, signal: AbortSignal): Promise<boolean> => {
    const judged = findGoverning(await situation(release, signal), nowMs());
    return 'governing' in judged && judged.governing.uid === governing.uid;
  };

  return {
    policyOf: situations.policyFromMemory,
    sweep: async (release, signal) => {
      const policy = situations.policyFromMemory(release);
      const found = await findDrift(release, policy, signal);
      if (!found.checked) return noteSkipped(found);
      stats.countObjects(found.listed);
      if (found.drifted.length > 0 && !(await isStillGoverned(found, signal))) {
        plan.recheck(release, intervals.overtakenMs);
        return;
      }
      stats.countRelease('checked');
      tell(found);
      await repair(found, policy, signal);
    },
  };
};
