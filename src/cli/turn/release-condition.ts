import type { OperationKind } from '../../helm/names.ts';
import { isUnfinished, operationOf, type ReleaseRecord } from '../../helm/record.ts';
import { BREAK } from '../../policy/lock-annotations.ts';
import { DEFAULT_STALE_AFTER_MS } from '../../policy/policy-in-force.ts';
import { findOperation, highestDeployed, type ReleaseFacts, silenceOf } from '../../rules/in-flight.ts';
import type { InFlight } from '../../rules/verdict.ts';
import { newestIn } from '../releases/release-view.ts';
import type { Leftover } from './lock-lease.ts';

/** The condition of a release, as the holder of its lock sees it. */
export type ReleaseCondition =
  | { readonly at: 'rest' }
  /** Somebody without the lock is at work, or may be at work. */
  | { readonly at: 'work'; readonly by: InFlight; readonly freeInMs: number | undefined }
  /** An operation died midway. */
  | {
      readonly at: 'stuck';
      readonly newest: ReleaseRecord;
      readonly operation: OperationKind;
      readonly because: string;
      /** Belay does not know that it is dead, and has to be told. */
      readonly isUntold?: boolean;
    }
  | { readonly at: 'failed'; readonly newest: ReleaseRecord };

export interface Observed {
  /** By the clock of this machine, which may be wrong. If Belay is there, it refuses a command that starts too early, and `lock` waits on. */
  readonly nowMs: number;
  /** For how long this process has seen the same record and claim. */
  readonly unchangedMs: number;
  readonly hasBelay: boolean;
  /** The note of the last holder of the lock. */
  readonly left: Leftover | undefined;
  /** Added to the --timeout of a vanished holder's Helm. */
  readonly stepSlackMs: number;
}

const ENDED = 'its Helm was ended';

/** Whether the last holder of the lock has noted that its Helm left this revision unfinished. */
const hasEnded = ({ revision }: ReleaseRecord, left: Leftover | undefined): boolean =>
  left?.how === 'ended' && left.revision === revision;

/** Judges without Belay. Nothing then stops a Helm that still runs, so it counts as dead only if it has ended, or after a long enough wait. */
const judgeAlone = (
  newest: ReleaseRecord,
  by: InFlight,
  { left, unchangedMs, stepSlackMs }: Observed,
): ReleaseCondition => {
  const stuck = (because: string): ReleaseCondition => ({ at: 'stuck', newest, operation: by.operation, because });
  if (hasEnded(newest, left)) return stuck(ENDED);
  if (left?.how !== 'vanished') return { at: 'work', by, freeInMs: undefined };
  const freeInMs = left.stepMs + stepSlackMs - unchangedMs;
  return freeInMs <= 0
    ? stuck('whoever held the lock has vanished, and its Helm has been silent for longer than its --timeout')
    : { at: 'work', by, freeInMs };
};

/** Judges whether a release is at rest, and whether an unfinished operation is alive or dead. */
export const judgeCondition = (facts: ReleaseFacts, observed: Observed): ReleaseCondition => {
  const newest = newestIn(facts.records);
  const silenceMs = silenceOf(facts.claim, DEFAULT_STALE_AFTER_MS);
  const state = findOperation(facts, { nowMs: observed.nowMs, staleAfterMs: silenceMs });
  const isOpen = newest !== undefined && isUnfinished(newest.status);
  if (!isOpen) {
    // The claim exists, and its record is not yet written.
    if (state.state === 'in-flight') return { at: 'work', by: state.inFlight, freeInMs: undefined };
    return newest?.status === 'failed' ? { at: 'failed', newest } : { at: 'rest' };
  }
  const operation = operationOf(newest.status) ?? 'upgrade';
  const stuck = (because: string): ReleaseCondition => ({ at: 'stuck', newest, operation, because });
  if (state.state === 'idle') return { at: 'rest' };
  const by = state.state === 'dead' ? state.was : state.inFlight;
  if (newest.locks?.[BREAK] !== undefined) return stuck('it was declared dead');
  if (!observed.hasBelay) return judgeAlone(newest, by, observed);
  if (state.state === 'dead' || observed.unchangedMs >= silenceMs)
    return stuck('nothing has been heard of it for too long');
  if (hasEnded(newest, observed.left)) return { at: 'stuck', newest, operation, because: ENDED, isUntold: true };
  return { at: 'work', by, freeInMs: undefined };
};

/** The revision to go back to: the deployed one. If an operation died after it had superseded that revision, the last superseded one. */
export const lastGood = (records: readonly ReleaseRecord[], isStuck: boolean): ReleaseRecord | undefined => {
  const deployed = highestDeployed(records);
  if (deployed !== undefined || !isStuck) return deployed;
  return newestIn(records.filter(({ status }) => status === 'superseded'));
};
