import type { ReleaseRecord } from '../../helm/record.ts';
import { lastDeployed, newestOf } from '../in-flight.ts';
import type { Verdict } from '../verdict.ts';
import { nextRevision } from './next-revision.ts';
import { protect } from './refuse.ts';
import type { RecordContext } from './write.ts';

/** The statuses of a revision whose operation is over. Those of a backup have one of them. */
const RESTORABLE: ReadonlySet<string> = new Set(['deployed', 'superseded', 'failed', 'uninstalled']);

/**
 * The highest number of a restored revision. Helm counts on from it, and Belay reads numbers of ten digits (helm/record.ts). An upgrade a
 * minute takes nineteen centuries to the last of them.
 */
const MAX_RESTORED_REVISION = 99_999_999;

/** The records of a release follow each other within moments, and a backup of a whole cluster takes its time. */
const RESTORE_MS = 3_600_000;

/**
 * Whether all records of the release may have come out of a backup just now. Nobody writes a time of creation but the API server. The claim of an
 * operation says that the release lives, but for that of an uninstall which was over before the first record was stored.
 */
const isBeingRestored = ({ facts: { records, claim }, clock }: RecordContext): boolean => {
  if (claim !== undefined && claim.operation !== 'uninstall') return false;
  const sinceMs = Math.max(claim?.acquiredAtMs ?? 0, clock.nowMs - RESTORE_MS);
  return records.every(({ createdAtMs }) => createdAtMs > sinceMs);
};

/** Whether the user may add revisions to a release that runs: who restores it, who began its last operation, and who may break it. */
const mayRestore = (context: RecordContext): boolean =>
  context.write.mayBreak || context.facts.claim?.holder === context.write.username || isBeingRestored(context);

/** Whether a revision would say that the release is uninstalled, that it is the newest one, or that it is what runs. */
const isMoreThanHistory = ({ facts }: RecordContext, after: ReleaseRecord): boolean => {
  const { records } = facts;
  if (after.status === 'uninstalled') return records.length > 0;
  const runs = lastDeployed(records);
  if (runs === undefined) return false;
  const newest = newestOf(records, after.kind)?.revision ?? 0;
  // The next number is for anybody who may deploy: mapkubeapis stores what it has converted so.
  if (after.revision > newest) return after.status !== 'deployed' || after.revision > nextRevision(facts);
  // Where no revision is deployed, the highest superseded one is what runs.
  return after.revision > runs.revision && (after.status === 'deployed' || runs.status !== 'deployed');
};

/**
 * Refuses a new revision that begins no operation, where it would not be one of a backup. With such a revision somebody could say that the
 * release is uninstalled, that another revision runs, or that its numbers are used up.
 */
export const refuseRestored = (context: RecordContext, after: ReleaseRecord): Verdict | undefined => {
  const { write, facts } = context;
  if (!RESTORABLE.has(after.status)) {
    return protect(write, after, 'no revision of Helm has its status', 'let Helm write its records');
  }
  if (after.revision > MAX_RESTORED_REVISION) {
    const problem = `after revision ${after.revision} Helm would run out of numbers`;
    return protect(write, after, problem, 'to deploy the release, run helm: it numbers its revisions one by one');
  }
  if (!isMoreThanHistory(context, after) || mayRestore(context)) return undefined;
  const { name, namespace } = write.release;
  const runs = lastDeployed(facts.records)?.revision;
  return protect(
    write,
    after,
    `no operation has stored it${runs === undefined ? '' : `, and revision ${runs} runs`}`,
    `to change the release, run helm; to restore it from a backup, the verb break on releases.belay.dev/${name} in namespace ${namespace} is needed`,
  );
};
