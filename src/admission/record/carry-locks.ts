import type { LiveFacts } from '../../facts/live-facts.ts';
import type { Situations } from '../../facts/situation.ts';
import { isUnfinished, LOCK_PREFIX, locksIn, type RecordName, type ReleaseRecord } from '../../helm/record.ts';
import { holdsLock } from '../../policy/carried-locks.ts';
import {
  type Annotations,
  BREAK,
  FREEZE,
  FREEZE_BY,
  FREEZE_UNTIL,
  OPEN,
  OPEN_UNTIL,
} from '../../policy/lock-annotations.ts';
import { locksOf } from '../../rules/locks.ts';
import { allow } from '../../rules/verdict.ts';
import { aspectOf, type RecognisedReview } from '../recognised-review.ts';
import type { AdmissionAnswer, JsonPatchOperation } from '../wire/answer.ts';
import type { Review } from '../wire/review.ts';
import { type RecordReview, readRecordReview } from './read-record-review.ts';
import { dropEndedLocks, type RestoredLocks } from './restored-locks.ts';

export interface CarryLocksDependencies {
  readonly live: Pick<LiveFacts, 'records'>;
  readonly situations: Pick<Situations, 'live'>;
  readonly nowMs: () => number;
}

type Locks = Record<string, string>;

/** RFC 6901: `/` in a key is `~1`. */
const pointerTo = (key: string): string => `/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** The JSON Patch that turns the locks of `annotations` into `wanted` and leaves every other annotation alone. */
const toPatch = (annotations: Annotations | undefined, wanted: Locks): readonly JsonPatchOperation[] => {
  const is = annotations ?? {};
  const added = Object.entries(wanted).filter(([key, value]) => is[key] !== value);
  if (annotations === undefined)
    return added.length === 0 ? [] : [{ op: 'add', path: '/metadata/annotations', value: wanted }];
  const removed = Object.keys(is).filter((key) => key.startsWith(LOCK_PREFIX) && wanted[key] === undefined);
  return [
    ...added.map(([key, value]): JsonPatchOperation => ({ op: 'add', path: pointerTo(key), value })),
    ...removed.map((key): JsonPatchOperation => ({ op: 'remove', path: pointerTo(key) })),
  ];
};

/** Helm drops all annotations on every update (docs/helm.md#records): put back what was there, unless a newer revision carries it on. */
const keepLocks = ({ before, after }: RecordReview, newer: readonly ReleaseRecord[]): Locks => {
  const kept: Locks = { ...before?.locks };
  const isRetired = after?.status === 'superseded' && before?.status !== 'superseded';
  for (const key of Object.keys(kept)) {
    if (isRetired && newer.some(({ locks }) => holdsLock(key, before?.locks ?? {}, locks))) delete kept[key];
  }
  if (after !== undefined && !isUnfinished(after.status)) delete kept[BREAK];
  return { ...kept, ...after?.locks };
};

/** What a person wrote, with what only Belay can know: who froze, and which leftovers of an older lock are void. */
export const completeLocks = (before: Annotations, after: Annotations, username: string): Locks => {
  const locks: Locks = locksIn(after);
  const dropLeftover = (key: string): void => {
    if (locks[key] === before[key]) delete locks[key];
  };
  delete locks[FREEZE_BY];
  if (locks[FREEZE] === undefined) {
    dropLeftover(FREEZE_UNTIL);
  } else if (locks[FREEZE] === before[FREEZE]) {
    if (before[FREEZE_BY] !== undefined) locks[FREEZE_BY] = before[FREEZE_BY];
  } else {
    locks[FREEZE_BY] = username;
    // The end was written for another freeze: this one must not end with it, or be born expired.
    dropLeftover(FREEZE_UNTIL);
  }
  if (locks[OPEN] === undefined) dropLeftover(OPEN_UNTIL);
  return locks;
};

/**
 * A write that takes every lock away and changes nothing else is a person unlocking, but for one case: Helm wrote the same payload
 * twice within the second that its `modifiedAt` counts, as a failing upgrade does with the deployed revision. That happens only while
 * an operation is in flight, and there the locks stay.
 */
const isHelmAgain = async (
  dependencies: CarryLocksDependencies,
  { before, after, release }: RecordReview,
  signal: AbortSignal,
): Promise<boolean> => {
  if (before?.locks === undefined || after?.locks !== undefined) return false;
  const { operation } = await dependencies.situations.live(release, signal);
  return operation.state === 'in-flight';
};

const toAnswer = (
  annotations: Annotations | undefined,
  wanted: Locks,
  why: string,
  { warnings }: RestoredLocks,
): AdmissionAnswer => {
  const patch = toPatch(annotations, wanted);
  if (patch.length === 0) return allow('nothing to carry');
  return { allowed: true, why, patch, ...(warnings.length > 0 && { warnings }) };
};

const mutateRecord = async (
  dependencies: CarryLocksDependencies,
  review: Review,
  name: RecordName | undefined,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  const read = readRecordReview(review, name);
  if (read?.after === undefined) return allow('not a record');
  const { before, release, writtenByHelm } = read;
  const restored = dropEndedLocks(review, read.after.locks ?? {}, {
    standing: before?.locks ?? {},
    isOver: !isUnfinished(read.after.status),
    nowMs: dependencies.nowMs(),
  });
  const after = read.after.locks === undefined ? read.after : { ...read.after, locks: restored.locks };
  const parsed = { ...read, after };
  const annotations = review.object?.metadata?.annotations;
  const answer = (wanted: Locks, why: string): AdmissionAnswer => toAnswer(annotations, wanted, why, restored);
  const live = async (): Promise<readonly ReleaseRecord[]> =>
    (await dependencies.live.records(release, signal)).filter(({ kind }) => kind === after.kind);

  if (before === undefined) {
    const carried = locksOf(await live());
    return answer(
      {
        ...carried,
        ...completeLocks(carried, { ...carried, ...after.locks }, review.user.username),
      },
      'carried',
    );
  }
  const complete = (locks: Locks): Locks => completeLocks(before.locks ?? {}, locks, review.user.username);
  if (!writtenByHelm && !(await isHelmAgain(dependencies, parsed, signal))) {
    return answer(complete(after.locks ?? {}), 'completed');
  }
  if (before.locks === undefined && after.locks === undefined) return allow('nothing to carry');
  const newer =
    after.status === 'superseded' ? (await live()).filter((record) => record.revision > before.revision) : [];
  return answer(complete(keepLocks(parsed, newer)), 'kept');
};

/** Carries locks over on records, and completes those that people write on records and Namespaces. */
export const carryLocks = async (
  dependencies: CarryLocksDependencies,
  review: RecognisedReview,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  if (review.resource.resource !== 'namespaces') {
    return mutateRecord(dependencies, review, aspectOf(review, 'record')?.recordName, signal);
  }
  const before = review.oldObject?.metadata?.annotations ?? {};
  const after = review.object?.metadata?.annotations;
  const restored = dropEndedLocks(review, after ?? {}, {
    standing: before,
    isOver: false,
    nowMs: dependencies.nowMs(),
  });
  return toAnswer(after, completeLocks(before, restored.locks, review.user.username), 'completed', restored);
};
