import type { ReleaseName } from '../helm/names.ts';
import type { RecordName } from '../helm/record.ts';
import type { ReviewKind } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

/** One thing that a review is about, with what was read to tell it. */
export type Aspect =
  /** `recordName` is undefined where Helm would take the object for a record by its label, but its name is not that of a record. */
  | { readonly kind: 'record'; readonly recordName: RecordName | undefined }
  /** The releases that the object's marks name: before the write, and after it where that is another release. */
  | { readonly kind: 'object'; readonly owners: readonly ReleaseName[] }
  /** `release` is undefined for a Lease whose name is not that of a claim. */
  | { readonly kind: 'claim'; readonly release: ReleaseName | undefined }
  | { readonly kind: 'hook' | 'scale' | 'namespace' | 'policy' };

/** A review that has been recognised: it is read once what it is about, before anything else is asked. */
export interface RecognisedReview extends Review {
  /** Names the review in the log and in metrics, and tells what an expired deadline means: the first aspect, or `unknown` without any. */
  readonly reviewKind: ReviewKind;
  /** Whether the review was sent as an UPDATE that takes the last finalizer off what is being deleted. It is judged as the DELETE that it is. */
  readonly endsDeletion?: true;
  /** All that the review is about. Each aspect has its say. */
  readonly aspects: readonly Aspect[];
}

/** The record, the object or the claim that a review is about, if it is about one. */
export const aspectOf = <K extends 'record' | 'object' | 'claim'>(
  { aspects }: RecognisedReview,
  kind: K,
): Extract<Aspect, { kind: K }> | undefined =>
  aspects.find((aspect): aspect is Extract<Aspect, { kind: K }> => aspect.kind === kind);

export type Recognise = (review: Review) => RecognisedReview;
