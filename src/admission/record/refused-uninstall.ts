import type { Claims } from '../../facts/claims.ts';
import type { DeleteHooks } from '../../facts/delete-hooks.ts';
import type { LiveSituation } from '../../facts/situation.ts';
import { isServiceAccount } from '../../kubernetes/object.ts';
import { isAccountOfHook } from '../../rules/hook-account.ts';
import { recordOf } from '../../rules/in-flight.ts';
import { isUninstallRefused, withRefusedUninstall } from '../../rules/refused-uninstall.ts';
import type { InFlight } from '../../rules/verdict.ts';
import type { RecognisedReview } from '../recognised-review.ts';
import type { RecordReview } from './read-record-review.ts';

export interface NoteRefusedUninstallDependencies {
  readonly claims: Pick<Claims, 'take' | 'noteRefusedUninstall'>;
  readonly deleteHooks: Pick<DeleteHooks, 'of'>;
}

/** Whether the write would begin an uninstall. */
export const startsUninstall = ({ dryRun }: RecognisedReview, { before, after }: RecordReview): boolean =>
  !dryRun && after?.status === 'uninstalling' && before?.status !== 'uninstalling';

/** Whether the user writes what the operation governs: its holder, and the accounts of its hooks. */
const isPartOf = async (
  { deleteHooks }: NoteRefusedUninstallDependencies,
  username: string,
  operation: InFlight,
  { facts }: LiveSituation,
): Promise<boolean> => {
  if (operation.holder === username) return true;
  if (!isServiceAccount(username)) return false;
  const record = recordOf(facts, operation);
  // Where the hooks cannot be read now, the account may be one of theirs when it deletes.
  const stored = record && (await deleteHooks.of(record).catch(() => 'unread' as const));
  return stored === 'unread' || (stored !== undefined && isAccountOfHook(username, operation, stored));
};

/**
 * Helm goes on after its uninstall was refused, and deletes the objects. While another operation of the same user is in flight, these deletes are like
 * those by which the operation creates objects anew. So the refusal is written down before it is answered, where each replica reads it. False: somebody
 * else has written the Lease meanwhile, so the uninstall has to be judged again.
 */
export const noteRefusedUninstall = async (
  dependencies: NoteRefusedUninstallDependencies,
  username: string,
  situation: LiveSituation,
  signal: AbortSignal,
): Promise<boolean> => {
  const { release, lease, operation } = situation;
  if (lease?.claim === undefined || operation.state === 'idle') return true;
  // A dead operation is its holder's again when a freeze ends (withSlowHolder).
  const other = operation.state === 'in-flight' ? operation.inFlight : operation.was;
  if (other.operation === 'uninstall' || isUninstallRefused(lease.claim, username)) return true;
  if (!(await isPartOf(dependencies, username, other, situation))) return true;
  const usernames = withRefusedUninstall(lease.claim, username);
  return dependencies.claims.noteRefusedUninstall({ release, lease, usernames }, signal);
};
