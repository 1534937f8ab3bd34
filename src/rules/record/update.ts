import { isUnfinished, type ReleaseRecord } from '../../helm/record.ts';
import { newestOf } from '../in-flight.ts';
import { findDisagreement } from './agreement.ts';
import { judgeAtRest } from './at-rest.ts';
import { judgeOtherUpdate, otherStorage } from './other-storage.ts';
import { protect } from './refuse.ts';
import { judgeMetadata } from './sign-of-life.ts';
import { judgeOvertaken, judgeUnfinished, judgeUninstalling } from './unfinished.ts';
import type { RecordContext, RecordVerdict, RecordWrite } from './write.ts';

/** Whether the payload names another namespace for the objects. The ownership annotations of objects are compared with it. */
const isMoved = ({ payload, payloadBefore }: RecordWrite): boolean =>
  payload !== undefined && payloadBefore !== undefined && payload.namespace !== payloadBefore.namespace;

/** Judges an update of a stored revision. */
export const judgeUpdate = (context: RecordContext, before: ReleaseRecord, after: ReleaseRecord): RecordVerdict => {
  const { write, facts } = context;
  if (!write.contentChanged) return judgeMetadata(context, before, after);
  const disagreement = findDisagreement(write, after);
  if (disagreement !== undefined) return disagreement;
  const changed = [...write.changedParts, ...(isMoved(write) ? ['namespace'] : [])];
  if (changed.length > 0) {
    return protect(
      write,
      before,
      `the ${changed.join(', ')} of a stored revision never changes`,
      'to change the release, run helm upgrade: it stores a new revision',
    );
  }
  if (write.isDying === true && after.status === 'deployed' && before.status !== 'deployed') {
    return protect(
      write,
      before,
      'it is being deleted, and would take along what runs as soon as its last finalizer is off',
      `let it go, and begin anew: helm rollback ${write.release.name} -n ${before.namespace}`,
    );
  }
  const other = otherStorage(facts, before);
  if (other !== undefined) return judgeOtherUpdate(write, before, after, other);
  const newest = newestOf(facts.records, before.kind);
  if (after.status === 'uninstalling' && (newest === undefined || newest.revision <= before.revision)) {
    return judgeUninstalling(context, before, after);
  }
  if (isUnfinished(before.status)) {
    if (newest !== undefined && newest.revision > before.revision)
      return judgeOvertaken(context, before, after, newest);
    return judgeUnfinished(context, before, after);
  }
  return judgeAtRest(context, before, after);
};
