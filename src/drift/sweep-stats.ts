import type { ReleaseName } from '../helm/names.ts';
import type { Problem, Skipped, UncheckedObject } from './findings.ts';
import type { KnownDrift } from './known-drift.ts';
import type { RepairOutcome } from './repair-release.ts';
import type { SweepPlan } from './sweep-plan.ts';

export type ReleaseOutcome = 'checked' | 'failed' | Skipped;
export type RepairResult = RepairOutcome['done'] | 'fight';

/** Measurements of the sweep. Counts are of this replica, since its start. */
export interface SweepStats {
  readonly leading: boolean;
  /** Whether Belay has the right to sweep. Undefined before it has asked. */
  readonly enabled: boolean | undefined;
  readonly backlog: number;
  /** The last pass over all releases that were due. Undefined before the first one has ended. */
  readonly lastPass: { readonly releases: number; readonly ms: number } | undefined;
  readonly releases: ReadonlyMap<ReleaseOutcome, number>;
  readonly objects: number;
  readonly unchecked: ReadonlyMap<UncheckedObject['why'], number>;
  readonly repairs: ReadonlyMap<RepairResult, number>;
  readonly driftedReleases: () => Iterable<{ readonly release: ReleaseName; readonly objects: number }>;
  readonly driftedObjects: () => Readonly<Record<Problem, number>>;
}

export interface SweepCounter {
  countRelease(outcome: ReleaseOutcome): void;
  countObjects(objects: number): void;
  countUnchecked(why: UncheckedObject['why']): void;
  countRepair(result: RepairResult): void;
  setLeading(leading: boolean): void;
  setEnabled(enabled: boolean): void;
  timePass(pass: () => Promise<unknown>): Promise<void>;
  read(): SweepStats;
}

const add = <Key>(counts: Map<Key, number>, key: Key): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

export const createSweepStats = (known: KnownDrift, plan: Pick<SweepPlan, 'backlog'>): SweepCounter => {
  const releases = new Map<ReleaseOutcome, number>();
  const unchecked = new Map<UncheckedObject['why'], number>();
  const repairs = new Map<RepairResult, number>();
  let [objects, leading, enabled]: [number, boolean, boolean | undefined] = [0, false, undefined];
  let lastPass: SweepStats['lastPass'];
  const total = (): number => [...releases.values()].reduce((sum, count) => sum + count, 0);
  return {
    countRelease: (outcome) => add(releases, outcome),
    countObjects: (count) => {
      objects += count;
    },
    countUnchecked: (why) => add(unchecked, why),
    countRepair: (result) => add(repairs, result),
    setLeading: (now) => {
      leading = now;
    },
    setEnabled: (now) => {
      enabled = now;
    },
    timePass: async (pass) => {
      const [startedAt, before] = [performance.now(), total()];
      await pass();
      const looked = total() - before;
      if (looked > 0) lastPass = { releases: looked, ms: performance.now() - startedAt };
    },
    read: () => ({
      leading,
      enabled,
      backlog: plan.backlog(),
      lastPass,
      releases,
      objects,
      unchecked,
      repairs,
      driftedReleases: () => known.releases(),
      driftedObjects: () => known.objects(),
    }),
  };
};
