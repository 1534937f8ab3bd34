import type { ReleaseRecord } from '../../helm/record.ts';
import { holdsLock } from '../../policy/carried-locks.ts';
import { highestDeployed } from '../in-flight.ts';
import { allow } from '../verdict.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

// Fleet corrects drift by a rollback to the deployed revision. When the rollback fails, Helm leaves that revision superseded, and above it
// a failed revision. Fleet then deletes the failed revision, and stores the superseded one again with its old status
// (rancher/fleet internal/helmdeployer/rollback.go, removeFailedRollback).
//
// No other write may bring a superseded revision back, because Helm and Belay would believe that it runs. So three conditions hold: the
// user is the holder of that rollback, by the claim that only Belay writes; the revision is the one just below; and the write comes at once.

/** Fleet's two writes follow Helm's last write immediately. A minute leaves time for a slow API server. */
const TAKE_BACK_WITHIN_MS = 60_000;

const holdsRollback = ({ facts: { claim }, write }: RecordContext, revision: number): boolean =>
  claim?.operation === 'rollback' && claim.revision === revision && claim.holder === write.username;

const isAtOnce = ({ clock }: RecordContext, { updatedAtMs }: ReleaseRecord): boolean =>
  clock.nowMs - updatedAtMs <= TAKE_BACK_WITHIN_MS;

const sameKind = ({ facts }: RecordContext, { kind }: ReleaseRecord): readonly ReleaseRecord[] =>
  facts.records.filter((record) => record.kind === kind);

/** Whether the newest revision is a rollback that failed, above a superseded revision that can come back. */
export const isFailedRollback = (context: RecordContext, failed: ReleaseRecord): boolean =>
  failed.status === 'failed' &&
  holdsRollback(context, failed.revision) &&
  isAtOnce(context, failed) &&
  sameKind(context, failed).some(({ revision, status }) => revision === failed.revision - 1 && status === 'superseded');

/** Allows the delete of a failed rollback. The new claim names the revision below: only that revision may be restored. */
export const takeBack = (failed: ReleaseRecord): RecordVerdict => ({
  ...allow('taken back'),
  claim: { operation: 'rollback', revision: failed.revision - 1, recordVersion: undefined, takesOver: undefined },
});

/** Whether a write restores the revision below a failed rollback, which is gone: its status becomes `deployed`, or `failed`, again. */
export const isTakenBack = (context: RecordContext, before: ReleaseRecord, after: ReleaseRecord): boolean => {
  if (before.status !== 'superseded' || (after.status !== 'deployed' && after.status !== 'failed')) return false;
  if (!holdsRollback(context, before.revision) || !isAtOnce(context, before)) return false;
  if (sameKind(context, before).some(({ revision }) => revision > before.revision)) return false;
  return after.status === 'failed' || highestDeployed(context.facts.records) === undefined;
};

/** The locks of a record that no other record of its release has, or has in another value. */
export const locksOnlyOn = ({ facts }: RecordContext, record: ReleaseRecord): readonly string[] =>
  Object.keys(record.locks ?? {}).filter(
    (key) =>
      !facts.records.some(
        ({ kind, name, locks }) =>
          (kind !== record.kind || name !== record.name) && holdsLock(key, record.locks ?? {}, locks),
      ),
  );
