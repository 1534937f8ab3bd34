import type { OperationKind } from '../../helm/names.ts';
import { isUnfinished, operationOf, type ReleaseRecord } from '../../helm/record.ts';
import { BREAK } from '../../policy/lock-annotations.ts';
import { DEFAULT_STALE_AFTER_MS } from '../../policy/policy-in-force.ts';
import { findOperation, highestDeployed, type ReleaseFacts, silenceOf } from '../../rules/in-flight.ts';
import type { InFlight } from '../../rules/verdict.ts';
import type { Left } from './lock-lease.ts';

/** How a release stands, seen by somebody who holds its lock. */
export type Standing =
  | { readonly at: 'rest' }
  /** Somebody without the lock is at work, or may be. */
  | { readonly at: 'work'; readonly by: InFlight; readonly freeInMs: number | undefined }
  /** An operation died midway. */
  | {
      readonly at: 'stuck';
      readonly newest: ReleaseRecord;
      readonly operation: OperationKind;
      readonly because: string;
    }
  | { readonly at: 'failed'; readonly newest: ReleaseRecord };

export interface Sight {
  /** By the clock of this machine. Where Belay is, it decides in the end: whoever comes too early is refused, and waits on. */
  readonly nowMs: number;
  /** For how long this process has seen the record and the claim unchanged. */
  readonly unchangedMs: number;
  readonly hasBelay: boolean;
  /** What the last holder of the lock left behind. */
  readonly left: Left | undefined;
  /** Added to what a vanished holder's Helm waits for a single step. */
  readonly stepSlackMs: number;
}

export const newestRecord = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined =>
  records.reduce<ReleaseRecord | undefined>(
    (newest, record) => (newest === undefined || record.revision > newest.revision ? record : newest),
    undefined,
  );

/** Without Belay nobody fences a Helm that goes on: only what is known, or has been waited out, counts. */
const judgeAlone = (newest: ReleaseRecord, by: InFlight, { left, unchangedMs, stepSlackMs }: Sight): Standing => {
  const stuck = (because: string): Standing => ({ at: 'stuck', newest, operation: by.operation, because });
  if (left?.how === 'ended' && left.revision === newest.revision) return stuck('its Helm was ended');
  if (left?.how !== 'vanished') return { at: 'work', by, freeInMs: undefined };
  const freeInMs = left.stepMs + stepSlackMs - unchangedMs;
  return freeInMs <= 0
    ? stuck('whoever held the lock has vanished, and its Helm has been silent for longer than its --timeout')
    : { at: 'work', by, freeInMs };
};

/** Tells rest from work, and the living from the dead. */
export const judgeStanding = (facts: ReleaseFacts, sight: Sight): Standing => {
  const newest = newestRecord(facts.records);
  const silenceMs = silenceOf(facts.claim, DEFAULT_STALE_AFTER_MS);
  const state = findOperation(facts, { nowMs: sight.nowMs, staleAfterMs: silenceMs });
  const isOpen = newest !== undefined && isUnfinished(newest.status);
  if (!isOpen) {
    // A claim whose record is still on its way.
    if (state.state === 'in-flight') return { at: 'work', by: state.inFlight, freeInMs: undefined };
    return newest?.status === 'failed' ? { at: 'failed', newest } : { at: 'rest' };
  }
  const operation = operationOf(newest.status) ?? 'upgrade';
  const stuck = (because: string): Standing => ({ at: 'stuck', newest, operation, because });
  if (state.state === 'idle') return { at: 'rest' };
  const by = state.state === 'dead' ? state.was : state.inFlight;
  if (newest.locks?.[BREAK] !== undefined) return stuck('it was declared dead');
  if (!sight.hasBelay) return judgeAlone(newest, by, sight);
  if (state.state === 'dead' || sight.unchangedMs >= silenceMs)
    return stuck('nothing has been heard of it for too long');
  return { at: 'work', by, freeInMs: undefined };
};

/** The revision to go back to: the one that is deployed; where an operation died after it had retired that one, the one before. */
export const lastGood = (records: readonly ReleaseRecord[], isStuck: boolean): ReleaseRecord | undefined => {
  const deployed = highestDeployed(records);
  if (deployed !== undefined || !isStuck) return deployed;
  return newestRecord(records.filter(({ status }) => status === 'superseded'));
};
