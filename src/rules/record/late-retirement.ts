import type { ReleaseRecord } from '../../helm/record.ts';
import { highestDeployed } from '../in-flight.ts';
import type { RecordContext } from './write.ts';

/** The last writes of one operation follow each other at once. A minute leaves time for a slow API server. */
const LAST_WRITES_MS = 60_000;

/**
 * Whether the write ends an operation whose new revision is deployed already. Helm supersedes the old revision first; others, such as nelm,
 * store both at once, in any order. Nothing hangs on the old revision then, because the higher one runs. It is the end of an admitted operation
 * also where the release was frozen in between.
 */
export const isLateRetirement = (
  { facts: { claim, records }, freezes, write, clock }: RecordContext,
  before: ReleaseRecord,
): boolean => {
  const runs = highestDeployed(records.filter(({ kind }) => kind === before.kind));
  if (before.status !== 'deployed' || runs === undefined || runs.revision <= before.revision) return false;
  const isOwn = claim?.holder === write.username && claim.operation !== 'uninstall' && claim.revision === runs.revision;
  if (freezes.length > 0) return isOwn && clock.nowMs - runs.updatedAtMs <= LAST_WRITES_MS;
  return isOwn || claim === undefined;
};
