import type { KubernetesObject, ManagedFieldsEntry } from '../../src/kubernetes/object.ts';
import { changedFields, type Fields, isObject, minus, presentFields, union } from './fields.ts';

/** Who writes, as `managedFields` tells it. */
export interface Writer {
  readonly manager: string;
  readonly operation: 'Update' | 'Apply';
  readonly subResource?: string;
  readonly time: string;
}

/** What nobody owns: the API server writes it itself, or it names the object. */
const UNMANAGED: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'managedFields',
]);

/** An object as far as its fields can have owners. */
export const managedPart = (object: KubernetesObject | undefined): Record<string, unknown> => {
  if (object === undefined) return {};
  const { apiVersion: _apiVersion, kind: _kind, metadata = {}, ...rest } = object;
  const kept = Object.fromEntries(Object.entries(metadata).filter(([key]) => !UNMANAGED.has(key)));
  return Object.keys(kept).length === 0 ? rest : { metadata: kept, ...rest };
};

const isOf = (entry: ManagedFieldsEntry, writer: Writer): boolean =>
  entry.manager === writer.manager &&
  entry.operation === writer.operation &&
  (entry.subresource ?? '') === (writer.subResource ?? '');

export const ownedBy = (object: KubernetesObject | undefined, writer: Writer): Fields | undefined =>
  entriesOf(object).find((entry) => isOf(entry, writer))?.fieldsV1 as Fields | undefined;

const entriesOf = (object: KubernetesObject | undefined): readonly ManagedFieldsEntry[] =>
  object?.metadata?.managedFields ?? [];

/**
 * `managedFields` after a write. An Update owns what it changed and takes that from all others; an Apply owns what it named, and shares
 * what others have with the same value.
 */
export const manageFields = (
  before: KubernetesObject | undefined,
  after: KubernetesObject,
  writer: Writer,
  applied?: Fields,
): readonly ManagedFieldsEntry[] => {
  const [old, current] = [managedPart(before), managedPart(after)];
  const changed = changedFields(old, current);
  const own = ownedBy(before, writer);
  const wanted = applied ?? (changed === undefined ? own : union(own ?? {}, changed));
  const kept = entriesOf(before)
    .filter((entry) => !isOf(entry, writer) && isObject(entry.fieldsV1))
    .flatMap((entry) => {
      const fields = entry.fieldsV1 as Fields;
      const left = changed === undefined ? fields : minus(fields, changed);
      const present = left && presentFields(left, current);
      return present === undefined ? [] : [{ ...entry, fieldsV1: present }];
    });
  // A Scale of nothing says nothing, and so owns nothing.
  const isScaleOfNothing = writer.subResource === 'scale' && (after.spec as { replicas?: number }).replicas === 0;
  const present = isScaleOfNothing ? undefined : wanted && presentFields(wanted, current);
  if (present === undefined) return kept;
  const isSame = own !== undefined && JSON.stringify(own) === JSON.stringify(present);
  const time = isSame ? entriesOf(before).find((entry) => isOf(entry, writer))?.time : writer.time;
  const entry: ManagedFieldsEntry = {
    manager: writer.manager,
    operation: writer.operation,
    ...(after.apiVersion !== undefined && { apiVersion: after.apiVersion }),
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: present,
    ...(writer.subResource !== undefined && { subresource: writer.subResource }),
  } as ManagedFieldsEntry;
  return [...kept, entry];
};
