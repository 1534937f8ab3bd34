import type { RecordKind } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { Claim } from './in-flight.ts';

const isOneKind = (records: readonly ReleaseRecord[]): boolean => {
  const kind = records[0]?.kind;
  for (const record of records) if (record.kind !== kind) return false;
  return true;
};

/** When the first record of that kind was stored. A record that was deleted counts no more. */
const firstStoredMs = (records: readonly ReleaseRecord[], kind: RecordKind): number =>
  records.reduce(
    (first, record) => (record.kind === kind ? Math.min(first, record.createdAtMs) : first),
    Number.POSITIVE_INFINITY,
  );

/**
 * The kind of objects in which a release is stored: that of its last admitted operation, else that of the records that were there first.
 * Creation times are in seconds. Between two kinds of the same second Secrets are it, which are Helm's default.
 */
const storageKindOf = (records: readonly ReleaseRecord[], claim: Claim | undefined): RecordKind => {
  const claimed = claim?.storage;
  if (claimed !== undefined && records.some(({ kind }) => kind === claimed)) return claimed;
  return firstStoredMs(records, 'ConfigMap') < firstStoredMs(records, 'Secret') ? 'ConfigMap' : 'Secret';
};

/**
 * The records by which a release is judged. Helm with HELM_DRIVER=configmap sees another release of the same name than Helm without it. A
 * release has one of both: records of the other kind say nothing about it (docs/design.md#records).
 */
export const recordsOfStorage = (
  records: readonly ReleaseRecord[],
  claim: Claim | undefined,
): readonly ReleaseRecord[] => {
  if (isOneKind(records)) return records;
  const storage = storageKindOf(records, claim);
  return records.filter(({ kind }) => kind === storage);
};
