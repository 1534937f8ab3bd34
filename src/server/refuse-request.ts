import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { MalformedProblem, Metrics } from './metrics.ts';
import { sendText } from './send.ts';

export type RequestProblem = Exclude<MalformedProblem, 'client'>;

const REFUSALS: Readonly<Record<RequestProblem, readonly [status: number, text: string]>> = {
  content_type: [415, 'send an AdmissionReview as application/json, not compressed'],
  too_large: [
    413,
    'the review is larger than 7 MiB, more than two objects of the largest size that the API server accepts',
  ],
  truncated: [400, 'the review ended before it was complete'],
  not_json: [400, 'the review is not JSON'],
  not_a_review: [400, 'the body is not an AdmissionReview of admission.k8s.io/v1'],
  overloaded: [503, 'Belay has too many reviews to read at once'],
};

export type RefuseRequest = (response: ServerResponse, problem: RequestProblem, detail?: string) => void;

/** Answers a request that could not be read as a review. */
export const createRefuseRequest =
  (log: Logger, metrics: Metrics): RefuseRequest =>
  (response, problem, detail) => {
    metrics.countMalformed(problem);
    const [status, text] = REFUSALS[problem];
    log.warn({ problem, status, detail }, 'no review');
    sendText(response, status, detail ?? text);
  };
