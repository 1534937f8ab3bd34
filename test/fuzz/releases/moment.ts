import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { Change } from '../../memory/store.ts';
import type { Stored, StoredRevision } from './stored.ts';

/** Which rules a policy switches off. Each is written here as its author thinks of it, and not as Belay reads it. */
export interface Rules {
  readonly freezes: boolean;
  readonly operations: boolean;
  readonly drift: boolean;
}

/** The operation that a release's newest revision shows. */
export interface UnfinishedOperation {
  readonly record: StoredRevision;
  /** Who moved the record to this status; undefined where it was stored while Belay was not there. */
  readonly by: string | undefined;
  /** Nobody may take it for dead yet. */
  readonly isAlive: boolean;
  /** Somebody may take it for alive still. */
  readonly mayBeAlive: boolean;
}

/** A release as it is stored before or after a write. */
export interface ReleaseView {
  /** Of the kind in which the release is stored, the oldest first. */
  readonly revisions: readonly StoredRevision[];
  readonly namespace: KubernetesObject | undefined;
  readonly stored: Stored;
  /** By annotation or policy, and enforced. */
  readonly isFrozen: boolean;
  readonly operation: UnfinishedOperation | undefined;
}

export type Verb = 'lock' | 'unlock' | 'open' | 'break';

/** One release at a write that changed what is stored. */
export interface Moment {
  readonly release: string;
  readonly change: Change;
  readonly nowMs: number;
  readonly rules: Rules;
  readonly before: ReleaseView;
  readonly after: ReleaseView;
  /** For a Namespace the release is empty: all of its releases. */
  may(verb: Verb, release: string): boolean;
}

/** What must hold at every write. Gives back what was broken, in words. */
export type Promised = (moment: Moment) => readonly string[];

export const newestOf = ({ revisions }: ReleaseView): StoredRevision | undefined => revisions.at(-1);

export const isUnfinishedStatus = (status: string): boolean =>
  status.startsWith('pending-') || status === 'uninstalling';

/** What people write on a record or a Namespace. */
export const carriersOf = ({ revisions, namespace }: ReleaseView): readonly Readonly<Record<string, string>>[] => [
  ...revisions.map(({ annotations }) => annotations),
  ...(namespace === undefined ? [] : [namespace.metadata?.annotations ?? {}]),
];

/** When the last freeze by annotation ends; undefined where none is in force. */
export const freezeEndMs = (view: ReleaseView, nowMs: number): number | undefined => {
  const ends = carriersOf(view)
    .filter((each) => each['belay.dev/freeze'] !== undefined || each['belay.dev/freeze-until'] !== undefined)
    .map((each) => Date.parse(each['belay.dev/freeze-until'] ?? '') || Number.POSITIVE_INFINITY)
    .filter((end) => end > nowMs);
  return ends.length === 0 ? undefined : Math.max(...ends);
};

export const isTerminating = ({ namespace }: ReleaseView): boolean =>
  namespace?.metadata?.deletionTimestamp !== undefined;
