import type { RecognisedReview } from '../admission/recognised-review.ts';
import type { AdmissionAnswer, Now } from '../admission/wire/answer.ts';
import type { Deadline } from '../admission/wire/review.ts';
import type { StartTimer } from './shared-timer.ts';

export type Judge = (review: RecognisedReview, deadline: Deadline) => Now<AdmissionAnswer>;

export interface AnswerInTimeDependencies {
  readonly startTimer: StartTimer;
  /** The answer to a review that nobody has judged in time. */
  readonly onDeadline: (review: RecognisedReview) => AdmissionAnswer;
  /** The answer to a review whose judge has thrown or rejected. */
  readonly onFailure: (review: RecognisedReview, error: unknown) => AdmissionAnswer;
}

/** Never throws or rejects. Calls `done` when the judge has ended, which may be after the deadline. */
export type AnswerInTime = (
  judge: Judge,
  review: RecognisedReview,
  withinMs: number,
  done: () => void,
) => Now<AdmissionAnswer>;

/** Answers with the judge's verdict or, whatever the judge does, with another answer by the deadline. */
export const createAnswerInTime = ({ startTimer, onDeadline, onFailure }: AnswerInTimeDependencies): AnswerInTime => {
  const settle = (
    judged: Promise<AdmissionAnswer>,
    controller: AbortController,
    review: RecognisedReview,
    withinMs: number,
  ): Promise<AdmissionAnswer> =>
    new Promise((resolve) => {
      let settled = false;
      const cancel = startTimer(withinMs, () => {
        if (settled) return;
        settled = true;
        resolve(onDeadline(review));
        controller.abort(new DOMException('the review has reached its deadline', 'TimeoutError'));
      });
      const end = (answerOf: () => AdmissionAnswer): void => {
        // After the deadline a failure is most likely the abort itself, and the review has its line in the log already.
        if (settled) return;
        settled = true;
        cancel();
        resolve(answerOf());
      };
      judged.then(
        (answer) => end(() => answer),
        (error: unknown) => end(() => onFailure(review, error)),
      );
    });

  return (judge, review, withinMs, done) => {
    const controller = new AbortController();
    let judged: Now<AdmissionAnswer>;
    try {
      // Most reviews are judged from memory and need no signal, so the AbortController is made only when its signal is asked for.
      judged = judge(review, controller);
    } catch (error) {
      done();
      return onFailure(review, error);
    }
    if (judged instanceof Promise) {
      judged.then(done, done);
      return settle(judged, controller, review, withinMs);
    }
    done();
    return judged;
  };
};
