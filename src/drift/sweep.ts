import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Events } from '../events/events.ts';
import type { LiveFacts } from '../facts/live-facts.ts';
import type { Manifests } from '../facts/manifests.ts';
import type { Policies } from '../facts/policies.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import type { ReleaseName } from '../helm/names.ts';
import type { Intervals, SweepIntervals } from '../intervals/intervals.ts';
import type { Api } from '../kubernetes/api.ts';
import { createKinds } from '../kubernetes/kinds.ts';
import { sleep } from '../kubernetes/sleep.ts';
import { showReason } from './describe-drift.ts';
import type { FindDependencies } from './find-release-drift.ts';
import { createKnownDrift } from './known-drift.ts';
import { createMissingRights } from './missing-rights.ts';
import { createSweepPlan, type Schedule, type SweepPlan } from './sweep-plan.ts';
import { createReleaseSweep, type ReleaseSweep } from './sweep-release.ts';
import { createSweepStats, type SweepCounter, type SweepStats } from './sweep-stats.ts';
import { waitForRight } from './wait-for-right.ts';

/** Goes through all releases, tells of drift, and repairs it where the policy says so. */
export interface Sweep {
  /** Looks at a release soon, because something has changed there. */
  recheck(release: ReleaseName): void;
  /** Resolves when Belay has the right to sweep, or when the signal fires. */
  waitForRight(signal: AbortSignal): Promise<void>;
  /** The work of the elected replica; ends when the signal fires. */
  lead(signal: AbortSignal): Promise<void>;
  stats(): SweepStats;
}

/** Every request goes through the one `api`, which sets the pace. */
export interface SweepOptions {
  readonly api: Api;
  readonly index: ReleaseIndex;
  readonly live: LiveFacts;
  /** Not the manifests of the reviews: the sweep would push out what the reviews need. */
  readonly manifests: Pick<Manifests, 'of'>;
  readonly policies: Pick<Policies, 'inForce' | 'isSynced'>;
  readonly events: Pick<Events, 'note'>;
  readonly log: Logger;
  readonly intervals: Pick<Intervals, 'sweep' | 'discovery'>;
  readonly nowMs: () => number;
}

/** Releases that are swept at once: enough for 100 requests a second while an answer takes 80 ms. */
const WORKERS = 8;

/** A name may be in thousands of namespaces. Those that are left out are swept when their interval has passed. */
const MAX_STORES = 10;

/** Objects remembered without drift: a fifth of the objects of 10,000 releases, at some 300 bytes each. */
const MAX_CLEAN = 20_000;

const findDependenciesOf = ({ api, manifests, intervals, nowMs }: SweepOptions): FindDependencies => ({
  api,
  kinds: createKinds(api, nowMs, intervals.discovery),
  rights: createMissingRights(nowMs, intervals.sweep.forbiddenMs),
  clean: new LRUCache<string, readonly string[]>({ max: MAX_CLEAN }),
  manifests,
  nowMs,
  atOnce: 1,
});

/** Where the records of a release may be: its objects name their own namespace, and the records may lie in another one. */
const storesOf = (index: ReleaseIndex, release: ReleaseName): readonly ReleaseName[] =>
  index.isElsewhere(release)
    ? [...index.namespacesOf(release.name)].slice(0, MAX_STORES).map((namespace) => ({ ...release, namespace }))
    : [release];

interface SweepWork {
  readonly plan: SweepPlan;
  readonly releases: ReleaseSweep;
  readonly stats: SweepCounter;
  readonly intervals: SweepIntervals;
  readonly log: Logger;
}

/** One worker: sweeps release after release until none is due. */
const sweepDue = async ({ plan, releases, stats, intervals, log }: SweepWork, signal: AbortSignal): Promise<void> => {
  for (let release = plan.next(); release !== undefined && !signal.aborted; release = plan.next()) {
    try {
      await releases.sweep(release, signal);
    } catch (error) {
      if (signal.aborted) return;
      stats.countRelease('failed');
      plan.recheck(release, intervals.failedMs);
      const { namespace, name } = release;
      log.warn({ namespace, release: name, err: showReason((error as Error).message) }, 'a release was not swept');
    }
  }
};

export const createSweep = (options: SweepOptions): Sweep => {
  const { index, policies, log, nowMs } = options;
  const intervals = options.intervals.sweep;
  const plan = createSweepPlan(nowMs);
  const known = createKnownDrift(intervals.tellAgainMs);
  const stats = createSweepStats(known, plan);
  const releases = createReleaseSweep({ ...options, intervals, find: findDependenciesOf(options), plan, known, stats });

  const work: SweepWork = { plan, releases, stats, intervals, log };

  const scheduleOf = (release: ReleaseName): Schedule | undefined => {
    const policy = releases.policyOf(release);
    const isLeftAlone = policy.drift.action === 'Off' && !known.has(release);
    return isLeftAlone ? undefined : { everyMs: policy.drift.repair.intervalMs, policy };
  };

  /** Looks at every release that is due. */
  const pass = async (signal: AbortSignal): Promise<void> => {
    plan.refill(index.releases(), scheduleOf);
    known.keepOnly((release) => index.facts(release).records.length > 0);
    await stats.timePass(() => Promise.all(Array.from({ length: WORKERS }, () => sweepDue(work, signal))));
  };

  const lead = async (signal: AbortSignal): Promise<void> => {
    plan.reset();
    stats.setLeading(true);
    let askedAtMs = Number.NEGATIVE_INFINITY;
    try {
      while (!signal.aborted) {
        if (nowMs() - askedAtMs >= intervals.askEveryMs) {
          await waitForRight({ ...options, intervals, stats }, signal);
          askedAtMs = nowMs();
        }
        if (index.isSynced() && policies.isSynced() && !signal.aborted) await pass(signal);
        await sleep(intervals.lookEveryMs, signal);
      }
    } finally {
      stats.setLeading(false);
      known.clear();
    }
  };

  // A new revision may end known drift. Then nobody should be told of it for another interval.
  index.onChange((release) => {
    if (stats.read().leading && known.has(release)) plan.recheck(release, intervals.settleMs);
  });

  return {
    recheck: (release) => {
      for (const store of storesOf(index, release)) plan.recheck(store, intervals.settleMs);
    },
    stats: () => stats.read(),
    waitForRight: (signal) => waitForRight({ ...options, intervals, stats }, signal),
    lead,
  };
};
