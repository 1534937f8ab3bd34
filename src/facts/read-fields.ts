import { LOCK_PREFIX, SYSTEM_LABELS } from '../helm/record.ts';
import { objectShape } from '../kubernetes/object-shape.ts';
import { CLAIM_LABEL } from './claim-lease.ts';

/**
 * What is read of the objects that a release is known by. Everybody who may write Secrets may label one `owner=helm`, of any name, and fill its metadata
 * with a megabyte of managedFields, annotations, labels or finalizers: none of it enters this process.
 */

const isLock = (annotation: string): boolean => annotation.startsWith(LOCK_PREFIX);

const RECORD_LABELS: ReadonlySet<string> = new Set([...SYSTEM_LABELS, 'modifiedAt']);

/** `data` is where a record has its payload: who owns it has written the record (`toRecord`). */
export const RECORD_FIELDS = objectShape({
  isLabelKept: (label) => RECORD_LABELS.has(label),
  isAnnotationKept: isLock,
  ownedField: 'f:data',
});

export const CLAIM_FIELDS = objectShape({ isLabelKept: (label) => label === CLAIM_LABEL, isAnnotationKept: isLock });

/** A policy chooses by any label. */
export const NAMESPACE_FIELDS = objectShape({ isAnnotationKept: isLock });
