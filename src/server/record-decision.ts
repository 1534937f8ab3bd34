import type { Logger } from 'pino';
import type { RecognisedReview } from '../admission/recognised-review.ts';
import type { AdmissionAnswer } from '../admission/wire/answer.ts';
import { createDecisionLog } from '../telemetry/log.ts';
import type { Metrics } from './metrics.ts';

/** Counts an answer and writes its line in the log. `tookMs` is the time from the end of the request to the answer. */
export type RecordDecision = (review: RecognisedReview, answer: AdmissionAnswer, tookMs: number) => void;

export const createRecordDecision = (log: Logger, metrics: Metrics): RecordDecision => {
  const logDecision = createDecisionLog(log);
  return (review, answer, tookMs) => {
    const code = answer.allowed ? answer.why : answer.denial.code;
    const waived = answer.allowed ? answer.waived : undefined;
    const ms = Math.round(tookMs * 1000) / 1000;
    metrics.countReview(review.reviewKind, review.operation, answer.allowed, code, ms);
    for (const { action, denial } of waived ?? []) metrics.countWaived(action, denial.code);
    const { group, kind: objectKind } = review.kind;
    logDecision({
      uid: review.uid,
      review: review.reviewKind,
      operation: review.operation,
      object: group === '' ? objectKind : `${group}/${objectKind}`,
      subResource: review.subResource,
      namespace: review.namespace,
      name: review.name,
      user: review.user.username,
      allowed: answer.allowed,
      reason: code,
      waived: waived?.map(({ action, denial }) => `${action} ${denial.code}`),
      ms,
    });
  };
};
