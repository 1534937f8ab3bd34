import type { OperationKind, ReleaseName } from '../../helm/names.ts';
import type { PayloadSummary } from '../../helm/payload.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import type { Freeze } from '../../policy/lock.ts';
import type { OperationState, ReleaseFacts, StaleClock } from '../in-flight.ts';
import type { Verdict } from '../verdict.ts';

/** The claim that has to be written before the write may be allowed. */
export interface ClaimRequest {
  readonly operation: OperationKind;
  readonly revision: number;
  /** For an uninstall: the record's resourceVersion before the write. For the delete of an operation's record: that of the record. */
  readonly recordVersion: string | undefined;
  /** Whether it only brings back what ran, out of a backup. */
  readonly isComeback?: boolean;
  /** The dead operation that this one takes over, if there is one. */
  readonly takesOver: { readonly reason: 'stale' | 'broken'; readonly revision: number } | undefined;
}

/** A verdict on a write of a record. With `claim`, it holds only after the Lease has been written. */
export type RecordVerdict = Verdict & { readonly claim?: ClaimRequest };

/** One write of a record, decoded. */
export interface RecordWrite {
  readonly release: ReleaseName;
  readonly username: string;
  readonly before: ReleaseRecord | undefined;
  readonly after: ReleaseRecord | undefined;
  /** Whether the payload or one of Helm's own labels changes. It is false when a person only annotates. */
  readonly contentChanged: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** The payload of the new object; undefined where its content did not change, and for DELETE. */
  readonly payload: PayloadSummary | undefined;
  /** The payload of the stored object; undefined where it was not read. */
  readonly payloadBefore: PayloadSummary | undefined;
  /** The parts of the payload that differ from the stored ones: chart, config, manifest, hooks. */
  readonly changedParts: readonly string[];
  /** Whether the user has the right to `break` the release. It is looked up where a deployed revision becomes superseded, and for a new revision that may come from a backup. */
  readonly mayBreak: boolean;
  /** Whether the stored record gets an owner that it did not have. */
  readonly gainsOwner: boolean;
  readonly terminating: boolean;
  /** Whether the stored record is being deleted, and only its finalizers keep it. */
  readonly isDying?: boolean;
  /** Of a DELETE: whether an earlier DELETE was admitted, and this write takes the last finalizer off. */
  readonly endsDeletion?: boolean;
  /** Of a DELETE: whether the garbage collector deletes the record, because its owner is gone. */
  readonly isCollected?: boolean;
}

/** A write, with the facts by which it is judged. */
export interface RecordContext {
  readonly write: RecordWrite;
  readonly facts: ReleaseFacts;
  readonly freezes: readonly Freeze[];
  readonly state: OperationState;
  readonly clock: StaleClock;
}
