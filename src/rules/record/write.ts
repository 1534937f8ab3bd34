import type { OperationKind, ReleaseName } from '../../helm/names.ts';
import type { PayloadSummary } from '../../helm/payload.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import type { Freeze } from '../../policy/lock.ts';
import type { OperationState, ReleaseFacts, StaleClock } from '../in-flight.ts';
import type { Verdict } from '../verdict.ts';

/** What a claim has to say before the write may be answered. */
export interface ClaimRequest {
  readonly operation: OperationKind;
  readonly revision: number;
  /** Of an uninstall: the record's resourceVersion before the write. */
  readonly recordVersion: string | undefined;
  /** The dead operation that this one takes over, if there is one. */
  readonly takesOver: { readonly reason: 'stale' | 'broken'; readonly revision: number } | undefined;
}

/** A verdict on a record write. With `claim`, it holds only once the Lease has been written. */
export type RecordVerdict = Verdict & { readonly claim?: ClaimRequest };

/** One write of a record, after the edge has taken it apart. */
export interface RecordWrite {
  readonly release: ReleaseName;
  readonly username: string;
  readonly before: ReleaseRecord | undefined;
  readonly after: ReleaseRecord | undefined;
  /** Whether the payload or one of Helm's own labels differs; false for a person who annotates. */
  readonly contentChanged: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the new object; undefined where its content did not change, or for DELETE. */
  readonly payload: PayloadSummary | undefined;
  /** Of the stored object, where that could be read. */
  readonly payloadBefore: PayloadSummary | undefined;
  /** chart, config, manifest: those that differ from what is stored. */
  readonly changedParts: readonly string[];
  /** Whether the writer has the right to `break` the release; asked only where a deployed revision becomes superseded. */
  readonly mayBreak: boolean;
  readonly terminating: boolean;
}

/** A write with everything that its judgement needs. */
export interface RecordContext {
  readonly write: RecordWrite;
  readonly facts: ReleaseFacts;
  readonly freezes: readonly Freeze[];
  readonly state: OperationState;
  readonly clock: StaleClock;
}
