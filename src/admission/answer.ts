import type { Denial } from '../rules/verdict.ts';

/** What `admit` (for /validate) and `mutate` (for /mutate) give back to the server. */
export type AdmissionAnswer =
  | {
      readonly allowed: true;
      /** A short fixed word for the log and the metric. */
      readonly why: string;
      readonly warnings?: readonly string[];
      readonly audit?: Readonly<Record<string, string>>;
      /** RFC 6902 operations; /mutate only. */
      readonly patch?: readonly JsonPatchOperation[];
    }
  | { readonly allowed: false; readonly denial: Denial };

export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: string;
  readonly value?: unknown;
}

/** What a review is about; decides its rule and what an expired deadline means for it. */
export type ReviewKind = 'record' | 'object' | 'scale' | 'namespace' | 'claim' | 'unknown';
