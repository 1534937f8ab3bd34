import { createHash } from 'node:crypto';
import type { ReleaseName } from '../helm/names.ts';
import { keyOf } from '../helm/names.ts';
import type { ObjectDrift, Problem } from './findings.ts';

/** The drift that the sweep has found, as far as its metrics and its Events need it. */
export interface KnownDrift {
  /** Returns the objects with something new to tell. After a while all objects count as new again, because Events are forgotten. */
  note(release: ReleaseName, drifted: readonly ObjectDrift[], nowMs: number): readonly ObjectDrift[];
  /** Returns whether there was drift. */
  forget(release: ReleaseName): boolean;
  has(release: ReleaseName): boolean;
  /** Forgets releases that are gone. */
  keepOnly(isThere: (release: ReleaseName) => boolean): void;
  releases(): Iterable<{ readonly release: ReleaseName; readonly objects: number }>;
  objects(): Readonly<Record<Problem, number>>;
  clear(): void;
}

interface Known {
  readonly release: ReleaseName;
  readonly toldAtMs: number;
  /** A fingerprint of what was told about each object. */
  readonly told: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/** A hash, because a value may come from a Secret and must not be kept. */
const fingerprint = ({ object, problem, changed, added }: ObjectDrift): string => {
  const fields = [...changed, ...added].map(({ path, after, writer }) => [path, after, writer?.atMs]);
  const { group, kind, namespace, name } = object;
  return createHash('sha256')
    .update(JSON.stringify([group, kind, namespace, name, problem, fields]))
    .digest('base64');
};

/** `tellAgainMs`: after this time the same drift is told again. */
export const createKnownDrift = (tellAgainMs: number): KnownDrift => {
  const known = new Map<string, Known>();
  return {
    note: (release, drifted, nowMs) => {
      const before = known.get(keyOf(release));
      const isOld = before === undefined || nowMs - before.toldAtMs >= tellAgainMs;
      const prints = drifted.map(fingerprint);
      known.set(keyOf(release), {
        release,
        toldAtMs: isOld ? nowMs : before.toldAtMs,
        told: new Set(prints),
        problems: drifted.map(({ problem }) => problem),
      });
      return isOld ? drifted : drifted.filter((_, index) => !before.told.has(prints[index] ?? ''));
    },
    forget: (release) => known.delete(keyOf(release)),
    has: (release) => known.has(keyOf(release)),
    keepOnly: (isThere) => {
      for (const [key, { release }] of known) if (!isThere(release)) known.delete(key);
    },
    *releases() {
      for (const { release, problems } of known.values()) yield { release, objects: problems.length };
    },
    objects: () => {
      const counts = { missing: 0, unmarked: 0, changed: 0, added: 0 };
      for (const { problems } of known.values()) for (const problem of problems) counts[problem] += 1;
      return counts;
    },
    clear: () => known.clear(),
  };
};
