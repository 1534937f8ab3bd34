import type { RecordKind } from '../helm/names.ts';

/** Where a lock sits: an annotation on a record or a Namespace, or a policy. */
export interface LockSource {
  readonly kind: RecordKind | 'Namespace' | 'ReleasePolicy';
  /** Empty for what is cluster-scoped. */
  readonly namespace: string;
  readonly name: string;
}

/** Verbs on the virtual resource `releases.belay.dev`. */
export type LockVerb = 'lock' | 'unlock' | 'open' | 'break';

export interface Freeze {
  readonly source: LockSource;
  readonly reason: string;
  /** Who wrote it, when the record says so (`belay.dev/freeze-by`, written by Belay). */
  readonly by: string | undefined;
  /** Milliseconds since the epoch; undefined: until somebody lifts it. */
  readonly untilMs: number | undefined;
}

/** A lock on versions: where it sits and, for a pin, the range that it allows. */
export interface Pin {
  readonly source: LockSource;
  /** As it was written; parsed by `parseRange` of versions.ts. */
  readonly range: string;
}
