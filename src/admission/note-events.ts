import type { Logger } from 'pino';
import type { Events } from '../events/events.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import { escapeText } from '../text/escape.ts';
import { eventsOf } from './event-of.ts';
import type { RecognisedReview } from './recognised-review.ts';
import type { AdmissionAnswer } from './wire/answer.ts';

export interface NoteEventsDependencies {
  readonly events: Pick<Events, 'note'>;
  readonly index: Pick<ReleaseIndex, 'facts'>;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** The server calls this after it has sent an answer. Never throws, because the answer is out already. */
export const createNoteEvents =
  ({ events, index, log, nowMs }: NoteEventsDependencies) =>
  (review: RecognisedReview, answer: AdmissionAnswer): void => {
    // Nearly every answer leaves no Event.
    if (answer.allowed && answer.waived === undefined && answer.notes === undefined) return;
    try {
      const recordsOf = (release: Parameters<ReleaseIndex['facts']>[0]) => index.facts(release).records;
      for (const event of eventsOf(review, answer, { nowMs: nowMs(), recordsOf })) events.note(event);
    } catch (error) {
      log.error({ uid: review.uid, problem: escapeText(String(error)) }, 'the Events of a review could not be told');
    }
  };
