import type { ReleaseName } from '../helm/names.ts';
import type { RecordName } from '../helm/record.ts';
import type { ReviewKind } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

/** One thing that a review is about, with the names that were read to recognise it. */
export type Aspect =
  /** `recordName` is undefined where Helm would take the object for a record by its label, but its name is not that of a record. */
  | { readonly kind: 'record'; readonly recordName: RecordName | undefined }
  /** The releases that the object's marks name: before the write, and after it where that is another release. */
  | { readonly kind: 'object'; readonly owners: readonly ReleaseName[] }
  /** `release` is undefined for a Lease whose name is not that of a claim. */
  | { readonly kind: 'claim'; readonly release: ReleaseName | undefined }
  | { readonly kind: 'hook' | 'scale' | 'namespace' | 'policy' };

/** A review whose aspects are known. They are found once, before anything else is asked. */
export interface RecognisedReview extends Review {
  /**
   * The first aspect, or `unknown` where there is none. It names the review in the log and in metrics, and decides the answer after an expired
   * deadline.
   */
  readonly reviewKind: ReviewKind;
  /** Whether the review was sent as an UPDATE that takes the last finalizer off what is being deleted. It is judged as the DELETE that it is. */
  readonly endsDeletion?: true;
  /** Everything that the review is about. A judge is asked about each aspect. */
  readonly aspects: readonly Aspect[];
}

/** The record, the object or the claim that a review is about, if it is about one. */
export const aspectOf = <K extends 'record' | 'object' | 'claim'>(
  { aspects }: RecognisedReview,
  kind: K,
): Extract<Aspect, { kind: K }> | undefined =>
  aspects.find((aspect): aspect is Extract<Aspect, { kind: K }> => aspect.kind === kind);

export type Recognise = (review: Review) => RecognisedReview;
