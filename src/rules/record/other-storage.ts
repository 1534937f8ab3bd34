import type { RecordKind } from '../../helm/names.ts';
import { isUnfinished, type ReleaseRecord } from '../../helm/record.ts';
import type { ReleaseFacts } from '../in-flight.ts';
import { allow, type Verdict } from '../verdict.ts';
import { protect } from './refuse.ts';
import type { RecordWrite } from './write.ts';

/** The other kind of objects, in which the release is stored; undefined where this record is of the release's own kind. */
export const otherStorage = ({ records }: ReleaseFacts, record: ReleaseRecord): RecordKind | undefined => {
  const [own] = records;
  return own === undefined || own.kind === record.kind ? undefined : own.kind;
};

const refuse = (write: RecordWrite, record: ReleaseRecord, own: RecordKind): Verdict =>
  protect(
    write,
    record,
    `the release is stored in ${own}s, and Helm would begin a second release of the same name and objects in ${record.kind}s`,
    `run Helm with HELM_DRIVER=${own.toLowerCase()}; to move the release to another driver see "One driver for each release" in the README`,
  );

/** Judges a new record of the kind in which the release is not stored. */
export const judgeOtherCreate = (write: RecordWrite, after: ReleaseRecord, own: RecordKind): Verdict =>
  refuse(write, after, own);

/**
 * Judges an update of a record of the kind in which the release is not stored. An older Belay let such records in. An operation of theirs may
 * end, and none may begin.
 */
export const judgeOtherUpdate = (
  write: RecordWrite,
  before: ReleaseRecord,
  after: ReleaseRecord,
  own: RecordKind,
): Verdict =>
  isUnfinished(after.status) && after.status !== before.status ? refuse(write, after, own) : allow('other storage');
