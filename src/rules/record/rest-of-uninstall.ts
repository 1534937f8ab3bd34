import { newestOf, silenceOf } from '../in-flight.ts';
import type { RecordContext } from './write.ts';

/**
 * Whether an uninstall that was admitted goes on with the records that it has left. Helm deletes the oldest record first, and the newest, which
 * says `uninstalling`, last. nelm deletes the newest first: then the claim alone tells of the uninstall, for as long as an operation may be silent.
 */
export const isRestOfUninstall = ({ write, facts, clock }: RecordContext): boolean => {
  const { claim, records } = facts;
  if (claim?.operation !== 'uninstall' || claim.holder !== write.username) return false;
  const kind = records[0]?.kind;
  const newest = kind === undefined ? undefined : newestOf(records, kind);
  if (newest === undefined || newest.revision >= claim.revision) return false;
  return clock.nowMs - Math.max(claim.acquiredAtMs, claim.renewedAtMs) < silenceOf(claim, clock.staleAfterMs);
};
