import type { ReleaseRecord } from '../../helm/record.ts';
import { isClaimOf, refOf } from '../in-flight.ts';
import { deny, type Verdict } from '../verdict.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

/**
 * Refuses a new owner of a stored record, with which the garbage collector would delete it. Operators make their custom resource the owner of
 * every record that they write, and Helm drops it with its next write. So the holder of an operation may add one, as the operation begins,
 * while it is in flight, and with its last writes. To lose an owner harms nobody.
 */
export const refuseOwner = (
  { write, facts: { claim }, state }: RecordContext,
  before: ReleaseRecord,
  verdict: RecordVerdict,
): Verdict | undefined => {
  const begins = verdict.claim !== undefined;
  const goesOn = state.state === 'in-flight' && state.inFlight.holder === write.username;
  const ends =
    write.contentChanged &&
    claim?.holder === write.username &&
    (isClaimOf(claim, before) || (verdict.allowed && verdict.why === 'late completion'));
  if (begins || goesOn || ends) return undefined;
  return deny({
    code: 'BelayRecordProtected',
    release: write.release,
    record: refOf(before),
    problem: 'with another owner it would be garbage collected',
    remedy: 'let Helm write its records; an operator adds its owner in an operation of its own',
    isSwallowed: true,
  });
};
