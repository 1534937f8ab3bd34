import type { KubernetesObject, ManagedFieldsEntry } from '../../kubernetes/object.ts';
import type { FieldOwner } from '../verdict.ts';
import { deepEqual, isList, isMap, type JsonMap, own } from './json.ts';

/**
 * Who owns which fields, by the `managedFields` of an object. The API server writes them, but takes other ones from any user who may write
 * the object.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */

/** Fields of one owner, or the part of them that lies below some place of the object. */
export interface OwnedFields {
  readonly owner: FieldOwner;
  readonly fields: JsonMap;
}

const MARK = ['f:metadata', 'f:annotations', 'f:meta.helm.sh/release-name'];

/** The name under which Helm itself writes. A program that embeds Helm has a name of its own. */
export const HELM_MANAGER = 'helm';

const keyOf = ({ manager, operation, subresource, apiVersion }: ManagedFieldsEntry): string =>
  JSON.stringify([manager, operation, subresource, apiVersion]);

/**
 * A write of `scale` leaves a second entry of an owner behind, without a time, when it takes that owner's replicas over
 * (k8s.io/apimachinery managedfields ScaleHandler). With the next write of anybody the API server keeps the last entry of each owner alone. So the
 * last one counts.
 */
const lastOfEach = (entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] =>
  entries.every(({ time }) => time !== undefined)
    ? entries
    : [...new Map(entries.map((entry) => [keyOf(entry), entry])).values()];

const entriesOf = (object: KubernetesObject): readonly ManagedFieldsEntry[] => {
  const entries: unknown = object.metadata?.managedFields;
  return isList(entries) ? lastOfEach(entries.filter((entry): entry is ManagedFieldsEntry => isMap(entry))) : [];
};

const fieldsOf = ({ fieldsV1 }: ManagedFieldsEntry): JsonMap => (isMap(fieldsV1) ? fieldsV1 : {});

/** The status belongs to controllers. */
const STATUS = 'f:status';

const ownsDesiredState = (entry: ManagedFieldsEntry): boolean => {
  for (const key in fieldsOf(entry)) if (key !== STATUS) return true;
  return false;
};

const isSameOwner = (a: ManagedFieldsEntry, b: ManagedFieldsEntry): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  a.apiVersion === b.apiVersion;

const ownsSame = (a: ManagedFieldsEntry, b: ManagedFieldsEntry): boolean => {
  const [left, right] = [fieldsOf(a), fieldsOf(b)];
  if (deepEqual(left, right)) return true;
  if (own(left, STATUS) === undefined && own(right, STATUS) === undefined) return false;
  const { [STATUS]: _left, ...desiredLeft } = left;
  const { [STATUS]: _right, ...desiredRight } = right;
  return deepEqual(desiredLeft, desiredRight);
};

/** Whether every owner owns the same fields of desired state before and after. When they wrote last does not count. */
export const isSameOwnership = (before: KubernetesObject, after: KubernetesObject): boolean => {
  const [old, now] = [entriesOf(before).filter(ownsDesiredState), entriesOf(after).filter(ownsDesiredState)];
  if (old.length !== now.length) return false;
  // The API server sorts the entries by time, so that a write may move them.
  let byOwner: ReadonlyMap<string, ManagedFieldsEntry> | undefined;
  const find = (entry: ManagedFieldsEntry): ManagedFieldsEntry | undefined => {
    byOwner ??= new Map(now.map((each) => [keyOf(each), each]));
    return byOwner.get(keyOf(entry));
  };
  return old.every((entry, index) => {
    const beside = now[index];
    const same = beside !== undefined && isSameOwner(entry, beside) ? beside : find(entry);
    return same !== undefined && ownsSame(entry, same);
  });
};

const ownsMark = (entry: ManagedFieldsEntry): boolean =>
  MARK.reduce<unknown>((fields, key) => (isMap(fields) ? own(fields, key) : undefined), fieldsOf(entry)) !== undefined;

/** The entries that write the release, by the managers' names and their operation. */
export interface ReleaseWriters {
  readonly managers: readonly string[];
  readonly operation: 'Apply' | 'Update';
}

/**
 * Who writes the release to the object: Helm 4 applies the mark of the release, and Helm 3 updates it. Names alone prove nothing, because
 * anybody may write as `helm`. Undefined where nobody owns the mark.
 */
export const findReleaseWriters = (object: KubernetesObject): ReleaseWriters | undefined => {
  const marking = entriesOf(object).filter((entry) => entry.subresource === undefined && ownsMark(entry));
  const namesOf = (operation: string): readonly string[] =>
    marking.filter((entry) => entry.operation === operation).map(({ manager = '' }) => manager);
  const [applying, updating] = [namesOf('Apply'), namesOf('Update')];
  if (applying.includes(HELM_MANAGER)) return { managers: [HELM_MANAGER], operation: 'Apply' };
  // Helm 3 has written the mark, and somebody else may have applied it too.
  if (updating.length > 0) return { managers: updating, operation: 'Update' };
  return applying.length > 0 ? { managers: applying, operation: 'Apply' } : undefined;
};

/** What the release's writers own, and what everybody else owns. */
export interface Ownership {
  readonly release: readonly OwnedFields[];
  readonly others: readonly OwnedFields[];
}

export const ownershipOf = (object: KubernetesObject, { managers, operation: by }: ReleaseWriters): Ownership => {
  const release: OwnedFields[] = [];
  const others: OwnedFields[] = [];
  for (const entry of entriesOf(object)) {
    const { manager = '', operation = '', subresource, apiVersion = '' } = entry;
    const isRelease = operation === by && subresource === undefined && managers.includes(manager);
    const owner: FieldOwner = { manager, operation, apiVersion, ...(subresource !== undefined && { subresource }) };
    (isRelease ? release : others).push({ owner, fields: fieldsOf(entry) });
  }
  return { release, others };
};
