import type { AdmissionAnswer } from '../admission/answer.ts';
import type { KubernetesObject, Review } from '../admission/review.ts';
import { isUnfinished, payloadOf, type ReleaseRecord, SYSTEM_LABELS, toRecord } from '../helm/record.ts';
import { type Annotations, BREAK } from '../policy/lock-annotations.ts';
import { findFreezes } from '../rules/freezes.ts';
import { refOf } from '../rules/in-flight.ts';
import { judgeRecord, type RecordWrite, refuseUnreadable } from '../rules/record.ts';
import { allow, deny, type RecordKind, type ReleaseName, type Verdict } from '../rules/verdict.ts';
import { clockOf, type ReviewDependencies } from './dependencies.ts';
import { refuseLockChange } from './lock-change.ts';

/** Starters that lose the race for the Lease look again this often; the second look nearly always shows who won. */
const MAX_CLAIM_ATTEMPTS = 3;

export interface RecordReview {
  readonly kind: RecordKind;
  readonly release: ReleaseName;
  readonly before: ReleaseRecord | undefined;
  readonly after: ReleaseRecord | undefined;
  readonly contentChanged: boolean;
  /** Helm moves `modifiedAt` with every write; a person who annotates leaves it alone. */
  readonly writtenByHelm: boolean;
}

/** Takes a record's review apart; undefined when it is none of Helm's records after all. */
export const readRecordReview = (review: Review): RecordReview | undefined => {
  const kind: RecordKind = review.resource.resource === 'configmaps' ? 'ConfigMap' : 'Secret';
  const read = (object: KubernetesObject | undefined): ReleaseRecord | undefined =>
    toRecord(kind, object?.metadata && { ...object.metadata, namespace: review.namespace });
  // Helm does not see what lacks its label, and neither do the facts: to label it afterwards is to create a record.
  const before = review.oldObject?.metadata?.labels?.owner === 'helm' ? read(review.oldObject) : undefined;
  const after = read(review.object);
  const record = after ?? before;
  if (record === undefined) return undefined;
  const label = (object: KubernetesObject | undefined, name: string): string | undefined =>
    object?.metadata?.labels?.[name];
  const { object, oldObject } = review;
  const contentChanged =
    payloadOf(object) !== payloadOf(oldObject) ||
    SYSTEM_LABELS.some((name) => label(object, name) !== label(oldObject, name));
  return {
    kind,
    release: { namespace: review.namespace, name: record.release },
    before,
    after,
    contentChanged,
    writtenByHelm: contentChanged || label(object, 'modifiedAt') !== label(oldObject, 'modifiedAt'),
  };
};

type Decoded =
  | { readonly readable: true; readonly write: Pick<RecordWrite, 'payload' | 'payloadBefore' | 'changedParts'> }
  | { readonly readable: false; readonly problem: string };

const NOTHING_DECODED = { payload: undefined, payloadBefore: undefined, changedParts: [] } as const;

/** Reads as much of the payloads as the decision needs. */
const decode = async (
  { decoder }: ReviewDependencies,
  review: Review,
  { kind, before, after, contentChanged }: RecordReview,
  signal: AbortSignal,
): Promise<Decoded> => {
  if (after === undefined || !contentChanged) return { readable: true, write: NOTHING_DECODED };
  const payload = payloadOf(review.object);
  const stored = before === undefined ? undefined : payloadOf(review.oldObject);
  if (payload === undefined) return { readable: false, problem: 'is missing' };
  if (stored === undefined || stored === payload) {
    const answer = await decoder.run<'summary'>({ want: 'summary', kind, payload }, signal);
    if (!answer.readable) return answer;
    const { summary } = answer.result;
    return {
      readable: true,
      write: { payload: summary, payloadBefore: stored === undefined ? undefined : summary, changedParts: [] },
    };
  }
  const answer = await decoder.run<'comparison'>({ want: 'comparison', kind, before: stored, after: payload }, signal);
  if (!answer.readable) return answer;
  // A stored payload that nobody can read has nothing left to protect: Helm may replace it.
  const { before: payloadBefore, after: summary, changed = [] } = answer.result;
  return { readable: true, write: { payload: summary, payloadBefore, changedParts: changed } };
};

/** Edits by which a record is lost without a DELETE: the garbage collector's, or Helm's own writes refused as immutable. */
const refuseTrap = (review: Review, { release, before }: RecordReview): Verdict | undefined => {
  if (before === undefined || review.object === undefined) return undefined;
  const owners = (object: KubernetesObject | undefined): string =>
    JSON.stringify(object?.metadata?.ownerReferences ?? []);
  const problem =
    owners(review.object) !== owners(review.oldObject)
      ? 'with other ownerReferences it would be garbage collected'
      : review.object.immutable === true && review.oldObject?.immutable !== true
        ? 'as immutable it could not be updated by Helm any more'
        : undefined;
  if (problem === undefined) return undefined;
  return deny({
    code: 'BelayRecordProtected',
    release,
    record: refOf(before),
    problem,
    remedy: 'let Helm write its records',
  });
};

/** The annotations that a write of locks is compared with. */
const locksBefore = ({ before, after }: RecordReview, others: readonly ReleaseRecord[]): Annotations => {
  if (before === undefined) {
    // What /mutate has carried over from the other revisions is nobody's new lock.
    const carried = Object.entries(after?.locks ?? {}).filter(([key, value]) =>
      others.some((record) => record.locks?.[key] === value),
    );
    return Object.fromEntries(carried);
  }
  const locks = Object.entries(before.locks ?? {});
  if (after?.status !== 'superseded' || before.status === 'superseded') return Object.fromEntries(locks);
  // A superseded revision hands its locks on: what a newer one carries may go from here.
  const isHandedOn = (key: string): boolean =>
    others.some((record) => record.revision > before.revision && record.locks?.[key] !== undefined);
  return Object.fromEntries(locks.filter(([key]) => after.locks?.[key] !== undefined || !isHandedOn(key)));
};

const sameLocks = ({ before, after }: RecordReview): boolean => {
  const [old, current] = [before?.locks ?? {}, after?.locks ?? {}];
  const keys = new Set([...Object.keys(old), ...Object.keys(current)]);
  return [...keys].every((key) => old[key] === current[key]);
};

const judgeLocks = async (
  dependencies: ReviewDependencies,
  review: Review,
  parsed: RecordReview,
  records: readonly ReleaseRecord[],
  signal: AbortSignal,
): Promise<Verdict | undefined> => {
  const { before, after, release } = parsed;
  if (after === undefined || sameLocks(parsed)) return undefined;
  const source = refOf(after);
  const others = records.filter((record) => record.kind !== after.kind || record.name !== after.name);
  const written = after.locks ?? {};
  if (written[BREAK] !== undefined && before?.locks?.[BREAK] !== written[BREAK] && !isUnfinished(after.status)) {
    return deny({
      code: 'BelayBadLock',
      source,
      annotation: BREAK,
      problem: `stands on a revision that is ${after.status}`,
      remedy: 'write it on the pending record that is to be declared dead',
    });
  }
  return refuseLockChange(
    dependencies,
    { review, release, source, before: locksBefore(parsed, others), after: written },
    signal,
  );
};

/** Helm finds records by label, and would take one of any other name for a revision of the release that its labels name. */
const refuseMisnamed = (review: Review): AdmissionAnswer => {
  if (review.object === undefined) return allow('not a record');
  const { name: release = '' } = review.object.metadata?.labels ?? {};
  const kind: RecordKind = review.resource.resource === 'configmaps' ? 'ConfigMap' : 'Secret';
  return deny({
    code: 'BelayRecordProtected',
    release: { namespace: review.namespace, name: release },
    record: { kind, namespace: review.namespace, name: review.name },
    problem: 'it is labelled as a record of Helm, but its name is not that of one',
    remedy: 'let Helm write its records',
  });
};

/** Judges a write of a release record; on a start, claims the release before answering. */
export const reviewRecord = async (
  dependencies: ReviewDependencies,
  review: Review,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  const parsed = readRecordReview(review);
  if (parsed === undefined) return refuseMisnamed(review);
  const { release, before, after, contentChanged } = parsed;
  const trap = refuseTrap(review, parsed);
  if (trap !== undefined) return trap;
  if (before !== undefined && after !== undefined && !contentChanged && sameLocks(parsed)) return allow('metadata');

  const { live, claims, log } = dependencies;
  const decoding = decode(dependencies, review, parsed, signal);
  decoding.catch(() => undefined); // awaited below; a failure before that must not count as unhandled
  for (let attempt = 1; ; attempt += 1) {
    const [facts, namespace] = await Promise.all([
      live.release(release, signal),
      live.namespace(review.namespace, signal),
    ]);
    const lockRefusal = await judgeLocks(dependencies, review, parsed, facts.records, signal);
    if (lockRefusal !== undefined) return lockRefusal;
    const decoded = await decoding;
    const record = after ?? before;
    if (!decoded.readable) {
      return record === undefined ? allow('not a record') : deny(refuseUnreadable(release, record, decoded.problem));
    }

    const clock = clockOf(dependencies);
    const verdict = judgeRecord(
      {
        release,
        username: review.user.username,
        before,
        after,
        contentChanged,
        labels: review.object?.metadata?.labels ?? {},
        ...decoded.write,
        terminating: namespace?.terminating === true,
      },
      facts,
      findFreezes(facts.records, namespace, clock.nowMs),
      clock,
    );
    if (!verdict.allowed || verdict.claim === undefined || review.dryRun) return verdict;

    const { operation, revision, recordVersion, takesOver } = verdict.claim;
    const taken = await claims.take(
      {
        release,
        holder: review.user.username,
        operation,
        revision,
        recordVersion,
        requestUid: review.uid,
        lease: facts.lease,
      },
      signal,
    );
    if (taken) {
      if (takesOver !== undefined)
        log.info({ namespace: release.namespace, release: release.name, operation, revision, takesOver }, 'takeover');
      return allow(verdict.why);
    }
    if (attempt >= MAX_CLAIM_ATTEMPTS) {
      return deny({
        code: 'BelayUnavailable',
        problem: 'several operations began at once and none could be told to be first',
      });
    }
  }
};
