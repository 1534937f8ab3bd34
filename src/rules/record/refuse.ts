import type { ReleaseName } from '../../helm/names.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import { type Claim, refOf } from '../in-flight.ts';
import { type Attempt, type Denial, deny, type Verdict } from '../verdict.ts';
import type { RecordContext, RecordWrite } from './write.ts';

/** The remedy for a user who patches a status to lock a release. */
export const freezeInstead = (record: ReleaseRecord): string =>
  `to lock a release, freeze it: kubectl annotate ${record.kind.toLowerCase()} -n ${record.namespace} -l owner=helm,name=${record.release} belay.dev/freeze="why"`;

/** Refuses a write that would forge, lose or repurpose a record. */
export const protect = (write: RecordWrite, record: ReleaseRecord, problem: string, remedy: string): Verdict =>
  deny({ code: 'BelayRecordProtected', release: write.release, record: refOf(record), problem, remedy });

export const refuseFrozen = ({ write, freezes }: RecordContext, attempt: Attempt): Verdict =>
  deny({ code: 'BelayFrozen', release: write.release, attempt, freezes });

export const refuseInFlight = ({ write, state }: RecordContext, attempt: Attempt): Verdict => {
  if (state.state !== 'in-flight') throw new TypeError('refused for an operation in flight where there is none');
  return deny({ code: 'BelayOperationInFlight', release: write.release, attempt, inFlight: state.inFlight });
};

/** Refuses a write of a revision that a newer one has overtaken. */
export const overtakenBy = (
  release: ReleaseName,
  { revision }: ReleaseRecord,
  newest: ReleaseRecord,
  claim: Claim | undefined,
): Verdict =>
  deny({
    code: 'BelayFenced',
    release,
    revision,
    overtakenBy: newest.revision,
    holder: claim?.revision === newest.revision ? claim.holder : undefined,
  });

/** The denial of a record whose payload cannot be read. Such a record may be forged. */
export const refuseUnreadable = (release: ReleaseName, record: ReleaseRecord, problem: string): Denial => ({
  code: 'BelayRecordProtected',
  release,
  record: refOf(record),
  problem: `its payload ${problem}`,
  remedy: 'let Helm write its records',
});
