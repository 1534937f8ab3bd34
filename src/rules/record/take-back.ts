import type { ReleaseRecord } from '../../helm/record.ts';
import { highestDeployed } from '../in-flight.ts';
import { allow } from '../verdict.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

/**
 * Fleet corrects drift by a rollback to the revision that is there. When that fails, Helm leaves this revision superseded and a failed
 * one above it; Fleet then deletes the failed one, and stores the other again as it was
 * (rancher/fleet internal/helmdeployer/rollback.go, removeFailedRollback).
 *
 * Nothing else may bring a superseded revision back: Helm and Belay would believe that it runs. So only whoever ran that very rollback
 * may (its claim says who that was, and nobody but Belay writes that), only the revision just below, and only at once.
 */

/** Fleet's two writes follow Helm's last one immediately; this is for an API server that is slow. */
const TAKE_BACK_WITHIN_MS = 60_000;

const holdsRollback = ({ facts: { claim }, write }: RecordContext, revision: number): boolean =>
  claim?.operation === 'rollback' && claim.revision === revision && claim.holder === write.username;

const isAtOnce = ({ clock }: RecordContext, { updatedAtMs }: ReleaseRecord): boolean =>
  clock.nowMs - updatedAtMs <= TAKE_BACK_WITHIN_MS;

const sameKind = ({ facts }: RecordContext, { kind }: ReleaseRecord): readonly ReleaseRecord[] =>
  facts.records.filter((record) => record.kind === kind);

/** The newest revision is what is left of a rollback that failed, and the one below it is there to come back. */
export const isFailedRollback = (context: RecordContext, failed: ReleaseRecord): boolean =>
  failed.status === 'failed' &&
  holdsRollback(context, failed.revision) &&
  isAtOnce(context, failed) &&
  sameKind(context, failed).some(({ revision, status }) => revision === failed.revision - 1 && status === 'superseded');

/** From now on the claim says which revision the rollback has come back to: nothing is awaited, and only that one may be restored. */
export const takeBack = (failed: ReleaseRecord): RecordVerdict => ({
  ...allow('taken back'),
  claim: { operation: 'rollback', revision: failed.revision - 1, recordVersion: undefined, takesOver: undefined },
});

/** The revision that such a rollback has superseded, once the failed one is gone, is stored as it was: deployed, or itself failed. */
export const isTakenBack = (context: RecordContext, before: ReleaseRecord, after: ReleaseRecord): boolean => {
  if (before.status !== 'superseded' || (after.status !== 'deployed' && after.status !== 'failed')) return false;
  if (!holdsRollback(context, before.revision) || !isAtOnce(context, before)) return false;
  if (sameKind(context, before).some(({ revision }) => revision > before.revision)) return false;
  return after.status === 'failed' || highestDeployed(context.facts.records) === undefined;
};

/** The locks of a record that no other one of its release carries. */
export const locksOnlyOn = ({ facts }: RecordContext, record: ReleaseRecord): readonly string[] =>
  Object.keys(record.locks ?? {}).filter(
    (key) =>
      !facts.records.some(
        ({ kind, name, locks }) => (kind !== record.kind || name !== record.name) && locks?.[key] !== undefined,
      ),
  );
