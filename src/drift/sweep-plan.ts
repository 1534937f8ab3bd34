import type { ReleaseName } from '../helm/names.ts';
import { keyOf } from '../helm/names.ts';

/** Which release the sweep looks at next. */
export interface SweepPlan {
  /** To be looked at before all others, when that time has passed; asked for again, the later time counts. */
  recheck(release: ReleaseName, afterMs: number): void;
  /** Adds those whose interval has passed, or whose policy has changed. `rhythmOf` answers undefined for one that is not to be looked at. */
  refill(releases: Iterable<ReleaseName>, rhythmOf: (release: ReleaseName) => Rhythm | undefined): void;
  /** Undefined when there is nothing to do now. */
  next(): ReleaseName | undefined;
  /** How many are waiting. */
  backlog(): number;
  /** Everything is due: nothing is known of what happened before. */
  reset(): void;
}

export interface Rhythm {
  readonly everyMs: number;
  /** The policy that says so: when it is another one, there may be something else to do. */
  readonly policy: object;
}

/** A release is due after 90 to 110 % of its interval, so that those that came together spread. */
const SPREAD = 0.2;

/** Rechecks waiting; beyond, the release is found when its interval has passed. */
const MAX_URGENT = 5_000;

interface Looked {
  readonly atMs: number;
  readonly share: number;
  /** Undefined when it was looked at out of turn, before its turn had ever come. */
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
    refill: (releases, rhythmOf) => {
      const [now, kept, waiting] = [nowMs(), new Map<string, Looked>(), new Map<string, Due>()];
      for (const release of releases) {
        const key = keyOf(release);
        const last = looked.get(key);
        if (last !== undefined) kept.set(key, last);
        const rhythm = rhythmOf(release);
        if (rhythm === undefined) continue;
        const { everyMs, policy } = rhythm;
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
