import type { RecordKind } from '../../helm/names.ts';
import { refOf } from '../../rules/in-flight.ts';
import { allow, deny, type Verdict } from '../../rules/verdict.ts';
import type { Review } from '../wire/review.ts';
import type { RecordReview } from './read-record-review.ts';

/** Refuses an edit after which Helm's own writes of the record would be refused. */
export const refuseTrap = (review: Review, { release, before }: RecordReview): Verdict | undefined => {
  if (before === undefined || review.object === undefined) return undefined;
  const problem =
    review.object.immutable === true && review.oldObject?.immutable !== true
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

/** The type of a Secret that Helm makes for a record (helm.sh/helm/v4/pkg/storage/driver/secrets.go). */
const RECORD_TYPE = 'helm.sh/release.v1';

/**
 * A new object that has the name of a record and is none. Helm would not see it, and could not store its own revision of that number: the
 * release could not be upgraded any more.
 */
export const refuseImpostor = (review: Review, { release, before, after }: RecordReview): Verdict | undefined => {
  if (before !== undefined || after === undefined) return undefined;
  const { kind, object } = { kind: after.kind, object: review.object };
  const problem =
    object?.metadata?.labels?.owner !== 'helm'
      ? `it has the name of revision ${after.revision}, but not the label owner=helm`
      : kind === 'Secret' && object.type !== RECORD_TYPE
        ? `it has the name of revision ${after.revision}, but not the type ${RECORD_TYPE}`
        : undefined;
  if (problem === undefined) return undefined;
  return deny({
    code: 'BelayRecordProtected',
    release,
    record: refOf(after),
    problem: `${problem}, and Helm could not store that revision any more`,
    remedy:
      'give it another name; a record that is restored from a backup needs the labels and the type that Helm gave it',
  });
};

/** Helm finds records by label, and would take one of any other name for a revision of the release that its labels name. */
export const refuseMisnamed = (review: Review): Verdict => {
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
