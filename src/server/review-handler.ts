import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { AdmissionAnswer, Now, ReviewKind } from '../admission/wire/answer.ts';
import { readReview } from '../admission/wire/read-review.ts';
import { toAdmissionText, toMalformedResponse } from '../admission/wire/respond.ts';
import type { Deadline, Review } from '../admission/wire/review.ts';
import { createTextMemory, type TextMemory } from '../helm/text-memory.ts';
import { Overload } from '../kubernetes/overload.ts';
import { createDecisionLog } from '../telemetry/log.ts';
import { escapeText } from '../text/escape.ts';
import { DEFAULT_TIMEOUT_MS, deadlineMs, parseTimeoutMs } from './deadline.ts';
import type { MalformedProblem, Metrics } from './metrics.ts';
import { type BodyBudget, LARGE_BODY_BYTES, readBody } from './read-body.ts';
import { sendJson, sendJsonText, sendText } from './send.ts';
import { createSharedTimer, type StartTimer } from './shared-timer.ts';
import { answerWithoutVerdict, type Cause, type ObjectsFail } from './without-verdict.ts';

export type Judge = (review: Review, deadline: Deadline) => Now<AdmissionAnswer>;

export interface ReviewHandlerDependencies {
  readonly reviewKind: (review: Review) => ReviewKind;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** For long payloads of records; one of its own unless told. */
  readonly memory?: TextMemory;
  /** What the API server waits when it does not say; 10 s unless told. */
  readonly defaultTimeoutMs?: number;
  /** Reviews at once; beyond, they are answered without a verdict. */
  readonly maxConcurrent?: number;
  /** Bytes of large bodies that are judged at once; beyond, they are answered without a verdict. */
  readonly maxJudgedBytes?: number;
  readonly startTimer?: StartTimer;
  /** Whether a write of an object that could not be judged passes; it does unless told. */
  readonly objectsFail?: ObjectsFail;
  /** Told of each answer once it has been sent; must not throw. */
  readonly noteEvents?: (review: Review, kind: ReviewKind, answer: AdmissionAnswer) => void;
  /** While it drains, each answer asks the API server to come back on another connection, and so to another replica. */
  readonly isDraining?: () => boolean;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** kube-apiserver lets 200 mutating requests run at once by default (--max-mutating-requests-inflight); this is for five of them. */
const MAX_CONCURRENT = 1000;

/** Unfinished bodies: a dozen reviews of records at their limit (2.6 MiB, old and new), and five thousand of the usual size (6 KiB). */
const MAX_READING: Readonly<BodyBudget> = { largeBytes: 32 * 1024 * 1024, smallBytes: 32 * 1024 * 1024 };

/** Large bodies that are judged, and not settled from memory: what they hold takes at least as much again. A dozen of those records. */
const MAX_JUDGED_BYTES = 32 * 1024 * 1024;

const REFUSALS: Readonly<Record<Exclude<MalformedProblem, 'client'>, readonly [status: number, text: string]>> = {
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

/** What /validate and /mutate have in common, and the bounds that they share. */
export const createReviewHandlers = (dependencies: ReviewHandlerDependencies): ((judge: Judge) => RequestHandler) => {
  const { reviewKind, log, metrics, nowMs, noteEvents } = dependencies;
  const {
    defaultTimeoutMs = DEFAULT_TIMEOUT_MS,
    maxConcurrent = MAX_CONCURRENT,
    maxJudgedBytes = MAX_JUDGED_BYTES,
    startTimer = createSharedTimer(),
    isDraining = () => false,
    objectsFail = 'open',
    memory = createTextMemory(),
  } = dependencies;
  const budget: BodyBudget = { ...MAX_READING };
  const logDecision = createDecisionLog(log);
  let running = 0;
  let judgedBytes = 0;
  metrics.showBodyBytes(
    () => MAX_READING.largeBytes - budget.largeBytes + MAX_READING.smallBytes - budget.smallBytes + judgedBytes,
  );

  const refuse = (response: ServerResponse, problem: keyof typeof REFUSALS, detail?: string): void => {
    metrics.countMalformed(problem);
    const [status, text] = REFUSALS[problem];
    log.warn({ problem, status, detail }, 'no review');
    sendText(response, status, detail ?? text);
  };

  const without = (review: Review, kind: ReviewKind, cause: Cause): AdmissionAnswer => {
    metrics.countWithoutVerdict(kind, cause);
    return answerWithoutVerdict(kind, review.operation, cause, objectsFail);
  };

  const failed = (review: Review, kind: ReviewKind, error: unknown): AdmissionAnswer => {
    // That has a figure of its own, and a line for each would be one more burden.
    if (error instanceof Overload) return without(review, kind, 'overload');
    log.error({ uid: review.uid, review: kind, err: describeError(error) }, 'a review failed');
    return without(review, kind, 'failure');
  };

  /** The verdict or, whatever the judge does, an answer by the deadline. Never throws or rejects. `done` may be called after the deadline. */
  const decide = (
    judge: Judge,
    review: Review,
    kind: ReviewKind,
    withinMs: number,
    done: () => void,
  ): Now<AdmissionAnswer> => {
    const controller = new AbortController();
    let judged: Now<AdmissionAnswer>;
    try {
      // An AbortController makes its signal when it is asked for, and most reviews are judged from memory without one.
      judged = judge(review, controller);
    } catch (error) {
      done();
      return failed(review, kind, error);
    }
    if (judged instanceof Promise) {
      judged.then(done, done);
      return settle(judged, controller, review, kind, withinMs);
    }
    done();
    return judged;
  };

  const settle = (
    judged: Promise<AdmissionAnswer>,
    controller: AbortController,
    review: Review,
    kind: ReviewKind,
    withinMs: number,
  ): Promise<AdmissionAnswer> =>
    new Promise((resolve) => {
      let settled = false;
      const cancel = startTimer(withinMs, () => {
        if (settled) return;
        settled = true;
        metrics.countDeadline(kind);
        resolve(without(review, kind, 'deadline'));
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
        (error: unknown) => end(() => failed(review, kind, error)),
      );
    });

  const answer = (
    response: ServerResponse,
    review: Review,
    kind: ReviewKind,
    verdict: AdmissionAnswer,
    startMs: number,
  ) => {
    if (isDraining()) response.setHeader('connection', 'close');
    sendJsonText(response, 200, toAdmissionText(review.uid, verdict, nowMs()));
    const code = verdict.allowed ? verdict.why : verdict.denial.code;
    const waived = verdict.allowed ? verdict.waived : undefined;
    const ms = Math.round((performance.now() - startMs) * 1000) / 1000;
    metrics.countReview(kind, review.operation, verdict.allowed, code, ms);
    for (const { action, denial } of waived ?? []) metrics.countWaived(action, denial.code);
    const { group, kind: objectKind } = review.kind;
    logDecision({
      uid: review.uid,
      review: kind,
      operation: review.operation,
      object: group === '' ? objectKind : `${group}/${objectKind}`,
      subResource: review.subResource,
      namespace: review.namespace,
      name: review.name,
      user: review.user.username,
      allowed: verdict.allowed,
      reason: code,
      waived: waived?.map(({ action, denial }) => `${action} ${denial.code}`),
      ms,
    });
    noteEvents?.(review, kind, verdict);
  };

  const handle = async (judge: Judge, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const arrivedMs = performance.now();
    const crowded = running > maxConcurrent;
    if (!isJson(request)) {
      request.resume();
      return refuse(response, 'content_type');
    }
    const body = await readBody(request, budget, (bytes) => ({
      startMs: performance.now(),
      read: readReview(bytes, reviewKind, memory),
    }));
    if (!body.ok) return refuse(response, body.problem);
    const { startMs, read } = body.content;
    if (!read.isJson) return refuse(response, 'not_json');
    const { parsed, texts } = read;
    if (!parsed.ok) {
      if (parsed.uid === undefined) return refuse(response, 'not_a_review', parsed.problem);
      metrics.countMalformed('not_a_review');
      log.warn({ uid: parsed.uid, problem: parsed.problem }, 'no review');
      return sendJson(response, 200, toMalformedResponse(parsed.uid, parsed.problem));
    }
    const { review } = parsed;
    const kind = reviewKind(review);
    const { bytes } = body;
    const heldBytes = bytes > LARGE_BODY_BYTES ? bytes : 0;
    const isOverloaded = crowded || (heldBytes > 0 && judgedBytes + heldBytes > maxJudgedBytes);
    judgedBytes += heldBytes;
    const done = (): void => {
      judgedBytes -= heldBytes;
      for (const text of texts) memory.free(text);
    };
    let decided: Now<AdmissionAnswer>;
    if (isOverloaded) {
      done();
      decided = without(review, kind, 'overload');
    } else {
      // The API server has been waiting since it began to send.
      const withinMs = deadlineMs(parseTimeoutMs(request.url ?? '') ?? defaultTimeoutMs) - (startMs - arrivedMs);
      decided = decide(judge, review, kind, withinMs, done);
    }
    answer(response, review, kind, decided instanceof Promise ? await decided : decided, startMs);
  };

  return (judge) => (request, response) => {
    running += 1;
    metrics.addInFlight(1);
    const end = (): void => {
      running -= 1;
      metrics.addInFlight(-1);
    };
    handle(judge, request, response).then(end, (error: unknown) => {
      log.error({ err: describeError(error) }, 'a request failed');
      // The failurePolicy of the webhook that was called decides.
      sendText(response, 500, 'something went wrong inside Belay, its log says what');
      end();
    });
  };
};

const isJson = ({ headers }: IncomingMessage): boolean => {
  const type = headers['content-type'] ?? '';
  const encoding = headers['content-encoding'] ?? 'identity';
  return (type === 'application/json' || /^application\/json\s*(;|$)/i.test(type)) && encoding === 'identity';
};

/** Type, message and stack, and none of the fields that a client library may have hung on it, such as a response's body. */
const describeError = (error: unknown): { type: string; message: string; stack: string | undefined } =>
  error instanceof Error
    ? { type: error.name, message: escapeText(error.message), stack: error.stack?.slice(0, 4000) }
    : { type: typeof error, message: escapeText(String(error)), stack: undefined };
