import type { Access } from '../../facts/access.ts';
import type { PayloadSummary } from '../../helm/payload.ts';
import { refOf } from '../../rules/in-flight.ts';
import { deny, type Verdict } from '../../rules/verdict.ts';
import { grantingRule } from '../explain/commands.ts';
import type { Review } from '../wire/review.ts';
import type { RecordReview } from './read-record-review.ts';

/**
 * The payload of a record may say that its objects live in another namespace. Belay then guards the objects there, which is a lock in that
 * namespace. So the writer needs the right to lock there. Else a writer in one namespace could block everybody's changes in any other.
 */
export const refuseObjectsElsewhere = async (
  { access }: { readonly access: Access },
  { user }: Review,
  { release, before, after }: RecordReview,
  payload: PayloadSummary | undefined,
  signal: AbortSignal,
): Promise<Verdict | undefined> => {
  // A stored revision keeps its namespace (rules/record/update.ts), so asking at its creation is enough.
  if (before !== undefined || after === undefined || payload === undefined) return undefined;
  if (payload.namespace === '' || payload.namespace === release.namespace) return undefined;
  if (await access.may(user, 'lock', payload.namespace, release.name, signal)) return undefined;
  return deny({
    code: 'BelayRecordProtected',
    release,
    record: refOf(after),
    problem: `its objects are in namespace ${payload.namespace}, where ${user.username} may not lock releases`,
    remedy: `let a Role in that namespace grant it: ${grantingRule('lock', release.name)}`,
  });
};
