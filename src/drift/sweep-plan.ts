import type { ReleaseName } from '../helm/names.ts';
import { keyOf } from '../helm/names.ts';

/** Which release the sweep looks at next. */
export interface SweepPlan {
  /** The release comes before all others when that time has passed. A second call replaces the time of the first. */
  recheck(release: ReleaseName, afterMs: number): void;
  /** Adds releases whose interval has passed, or whose policy has changed. `scheduleOf` answers undefined for a release that is left alone. */
  refill(releases: Iterable<ReleaseName>, scheduleOf: (release: ReleaseName) => Schedule | undefined): void;
  /** Undefined when there is nothing to do now. */
  next(): ReleaseName | undefined;
  /** How many releases wait. */
  backlog(): number;
  /** Makes every release due, because nothing is known of earlier sweeps. */
  reset(): void;
}

export interface Schedule {
  readonly everyMs: number;
  /** The policy with this interval. When another policy comes into force, there may be something else to do. */
  readonly policy: object;
}

/** A release is due after 90 to 110 % of its interval, so that releases that became due together spread. */
const SPREAD = 0.2;

/** How many rechecks may wait. A release beyond that is looked at when its interval has passed. */
const MAX_URGENT = 5_000;

interface Looked {
  readonly atMs: number;
  readonly share: number;
  /** Undefined when the release has only been looked at by a recheck. */
  readonly policy: object | undefined;
}

interface Due {
  readonly release: ReleaseName;
  readonly policy: object;
}

export const createSweepPlan = (nowMs: () => number, random: () => number = Math.random): SweepPlan => {
  const urgent = new Map<string, { readonly release: ReleaseName; readonly atMs: number }>();
  let due = new Map<string, Due>();
  let looked = new Map<string, Looked>();

  const take = (release: ReleaseName): ReleaseName => {
    const key = keyOf(release);
    const policy = due.get(key)?.policy ?? looked.get(key)?.policy;
    urgent.delete(key);
    due.delete(key);
    looked.set(key, { atMs: nowMs(), share: 1 + SPREAD * (random() - 0.5), policy });
    return release;
  };

  return {
    recheck: (release, afterMs) => {
      const key = keyOf(release);
      if (urgent.has(key) || urgent.size < MAX_URGENT) urgent.set(key, { release, atMs: nowMs() + afterMs });
    },
    refill: (releases, scheduleOf) => {
      const [now, kept, waiting] = [nowMs(), new Map<string, Looked>(), new Map<string, Due>()];
      for (const release of releases) {
        const key = keyOf(release);
        const last = looked.get(key);
        if (last !== undefined) kept.set(key, last);
        const schedule = scheduleOf(release);
        if (schedule === undefined) continue;
        const { everyMs, policy } = schedule;
        const isDue = last === undefined || last.policy !== policy || now - last.atMs >= everyMs * last.share;
        if (isDue) waiting.set(key, { release, policy });
      }
      looked = kept;
      due = waiting;
    },
    next: () => {
      for (const { release, atMs } of urgent.values()) if (atMs <= nowMs()) return take(release);
      const [first] = due.values();
      return first === undefined ? undefined : take(first.release);
    },
    backlog: () => due.size + urgent.size,
    reset: () => {
      looked.clear();
      due.clear();
    },
  };
};
