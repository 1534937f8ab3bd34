import type { Shape } from './prune-json.ts';

/** What is kept of an object of a list or a watch, beside what names it: its `metadata` is written by its owner, without a bound on its parts. */
export interface KeptMetadata {
  /** All by default. */
  readonly isLabelKept?: (key: string) => boolean;
  /** None by default. */
  readonly isAnnotationKept?: (key: string) => boolean;
  /** Whether an entry of managedFields owns this field; nothing of managedFields is kept by default. */
  readonly ownedField?: string;
}

const IDENTITY: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
]);

const NOTHING: Shape = () => undefined;

const membersThat = (isKept: (key: string) => boolean): Shape => {
  return (key) => (isKept(key) ? 'all' : undefined);
};

/** Of each entry when it was written, and whether it owns the field. */
const ownersOf = (field: string): Shape => {
  const fields: Shape = (key) => (key === field ? NOTHING : undefined);
  return (key) => {
    if (key === 'time') return 'all';
    return key === 'fieldsV1' ? fields : undefined;
  };
};

/** An object without the parts of its metadata that nobody asks for. Whatever else it has is kept. */
export const objectShape = (kept: KeptMetadata): Shape => {
  const { isLabelKept = () => true, isAnnotationKept = () => false, ownedField } = kept;
  const parts = new Map<string, Shape>([
    ['labels', membersThat(isLabelKept)],
    ['annotations', membersThat(isAnnotationKept)],
  ]);
  if (ownedField !== undefined) parts.set('managedFields', ownersOf(ownedField));
  const metadata: Shape = (key) => parts.get(key) ?? (IDENTITY.has(key) ? 'all' : undefined);
  return (key) => (key === 'metadata' ? metadata : 'all');
};

/** A list whose items are handed out one by one. */
export const listShape = (item: Shape): Shape => {
  return (key) => (key === 'items' ? { each: item } : 'all');
};

/** The events of a watch, each of which holds an object. */
export const watchShape = (object: Shape): Shape => {
  const event: Shape = (key) => (key === 'object' ? object : 'all');
  return { each: event };
};
