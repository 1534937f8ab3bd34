import type { Verdict } from '../../rules/verdict.ts';

/** The answer that `admit` (for /validate) and `carryLocks` (for /mutate) return: a verdict and, from /mutate, a patch. */
export type AdmissionAnswer = Verdict & {
  /** RFC 6902 operations; /mutate only, and only when allowed. */
  readonly patch?: readonly JsonPatchOperation[];
};

/** A value, or a promise where something has to be fetched. Most reviews are answered from memory, thousands a second. */
export type Now<T> = T | Promise<T>;

export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: string;
  readonly value?: unknown;
}

/** What a review is about. The kind decides which rule judges the review, and what the answer is when the deadline has passed. */
export type ReviewKind = 'record' | 'object' | 'hook' | 'scale' | 'namespace' | 'claim' | 'policy' | 'unknown';
