import type { Logger } from 'pino';
import type { AdmissionAnswer, ReviewKind } from '../admission/answer.ts';
import { escapeText } from '../admission/escape.ts';
import type { Review } from '../admission/review.ts';
import type { Events } from '../cluster/events.ts';
import type { ReleaseIndex } from '../cluster/release-index.ts';
import { eventsOf } from './event-of.ts';

export interface NoteEventsDependencies {
  readonly events: Pick<Events, 'note'>;
  readonly index: Pick<ReleaseIndex, 'facts'>;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** For the server to call when an answer has been sent. Never throws: nobody is there any more to be told. */
export const createNoteEvents =
  ({ events, index, log, nowMs }: NoteEventsDependencies) =>
  (review: Review, kind: ReviewKind, answer: AdmissionAnswer): void => {
    // Nearly every answer is worth none.
    if (answer.allowed && answer.waived === undefined && answer.notes === undefined) return;
    try {
      const recordsOf = (release: Parameters<ReleaseIndex['facts']>[0]) => index.facts(release).records;
      for (const event of eventsOf(review, kind, answer, { nowMs: nowMs(), recordsOf })) events.note(event);
    } catch (error) {
      log.error({ uid: review.uid, problem: escapeText(String(error)) }, 'the Events of a review could not be told');
    }
  };
