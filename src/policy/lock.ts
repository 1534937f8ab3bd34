import type { RecordKind } from '../helm/names.ts';

/** Where a lock is written: in an annotation of a record or a Namespace, or in a policy. */
export interface LockSource {
  readonly kind: RecordKind | 'Namespace' | 'ReleasePolicy';
  /** Empty for a Namespace and a ReleasePolicy, which are cluster-scoped. */
  readonly namespace: string;
  readonly name: string;
}

/** Verbs on the virtual resource `releases.belay.dev`, by which RBAC says who may change locks. */
export type LockVerb = 'lock' | 'unlock' | 'open' | 'break';

/** A freeze in force: nothing about the release changes. */
export interface Freeze {
  readonly source: LockSource;
  readonly reason: string;
  /** Who froze, by the annotation `belay.dev/freeze-by`, which Belay writes; undefined where that is missing, and for a policy. */
  readonly by: string | undefined;
  /** Milliseconds since the epoch; undefined: until somebody lifts it. */
  readonly untilMs: number | undefined;
}

/** A lock on the versions of a release's chart. */
export interface Pin {
  readonly source: LockSource;
  /** The range as it was written. `parseRange` of helm/chart-range.ts reads it. */
  readonly range: string;
}
