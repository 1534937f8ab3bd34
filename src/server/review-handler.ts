import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { FindFrozen } from '../admission/known-frozen.ts';
import type { Recognise, RecognisedReview } from '../admission/recognised-review.ts';
import type { AdmissionAnswer } from '../admission/wire/answer.ts';
import { readReview } from '../admission/wire/read-review.ts';
import { toAdmissionText, toMalformedResponse } from '../admission/wire/respond.ts';
import { createTextMemory, type TextMemory } from '../helm/text-memory.ts';
import { createAnswerInTime, type Judge } from './answer-in-time.ts';
import { causeOf } from './cause-of.ts';
import { DEFAULT_TIMEOUT_MS, deadlineMs, parseTimeoutMs } from './deadline.ts';
import { describeError } from './describe-error.ts';
import type { Metrics } from './metrics.ts';
import { type BodyBudget, LARGE_BODY_BYTES, readBody } from './read-body.ts';
import { createRecordDecision } from './record-decision.ts';
import { createRefuseRequest } from './refuse-request.ts';
import { sendJson, sendJsonText, sendText } from './send.ts';
import { createSharedTimer, type StartTimer } from './shared-timer.ts';
import { answerWithoutVerdict, type Cause, type ObjectsFail } from './without-verdict.ts';

export interface ReviewHandlerDependencies {
  readonly recognise: Recognise;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** For long payloads of records. By default the handlers have a memory of their own. */
  readonly memory?: TextMemory;
  /** How long the API server waits where its request does not tell. 10 s by default. */
  readonly defaultTimeoutMs?: number;
  /** How many reviews are judged at once. Further reviews are answered without a verdict. */
  readonly maxConcurrent?: number;
  /** How many bytes of large bodies are judged at once. Further large bodies are answered without a verdict. */
  readonly maxJudgedBytes?: number;
  readonly startTimer?: StartTimer;
  /** Whether a write of an object that could not be judged is refused (`closed`) or passes (`open`, the default). */
  readonly objectsFail?: ObjectsFail;
  /** Tells whether memory knows that a review would change an object of a frozen release. Such a review never passes unchecked. */
  readonly findFrozen?: FindFrozen;
  /** Called with each answer after it has been sent. Must not throw. */
  readonly noteEvents?: (review: RecognisedReview, answer: AdmissionAnswer) => void;
  /** While Belay drains, each answer asks the API server to come back on another connection, and so to another replica. */
  readonly isDraining?: () => boolean;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** One kube-apiserver runs 200 mutating requests at once by default (--max-mutating-requests-inflight). This is enough for five of them. */
const MAX_CONCURRENT = 1000;

/** Room for unfinished bodies: six reviews of records at their limit (2.6 MiB, old and new), and 2,500 reviews of the usual size (6 KiB). */
const MAX_READING: Readonly<BodyBudget> = { largeBytes: 16 * 1024 * 1024, smallBytes: 16 * 1024 * 1024 };

/**
 * Bytes of large bodies that are judged at once: to judge one takes at least as much memory again. Six records at their limit are judged in 80 ms.
 * The reviews of one namespace hold half of it at most, so that a flood of one namespace leaves room for the records of the others.
 */
const MAX_JUDGED_BYTES = 16 * 1024 * 1024;

/** The answers to reviews that no rule has judged, counted by cause. */
const createUnjudged = ({ log, metrics, objectsFail, findFrozen = () => undefined }: ReviewHandlerDependencies) => {
  const without = (review: RecognisedReview, cause: Cause): AdmissionAnswer => {
    metrics.countWithoutVerdict(review.reviewKind, cause);
    return answerWithoutVerdict(review.reviewKind, review.operation, cause, {
      objectsFail,
      frozen: findFrozen(review),
    });
  };
  return {
    onOverload: (review: RecognisedReview): AdmissionAnswer => without(review, 'overload'),
    onDeadline: (review: RecognisedReview): AdmissionAnswer => {
      metrics.countDeadline(review.reviewKind);
      return without(review, 'deadline');
    },
    onFailure: (review: RecognisedReview, error: unknown): AdmissionAnswer => {
      const cause = causeOf(error);
      if (cause === 'failure')
        log.error({ uid: review.uid, review: review.reviewKind, err: describeError(error) }, 'a review failed');
      return without(review, cause);
    },
  };
};

/** Large bodies that are being judged: how many bytes they have together and by namespace, and whether there is room for one more. */
const createJudgedBytes = (maxBytes: number) => {
  const byNamespace = new Map<string, number>();
  let judged = 0;
  return {
    now: (): number => judged,
    /** A namespace without a large body has room for one, whatever its size. */
    hasRoom: (namespace: string, bytes: number): boolean => {
      const own = byNamespace.get(namespace) ?? 0;
      return bytes === 0 || (judged + bytes <= maxBytes && (own === 0 || own + bytes <= maxBytes / 2));
    },
    add: (namespace: string, bytes: number): void => {
      if (bytes === 0) return;
      judged += bytes;
      const own = (byNamespace.get(namespace) ?? 0) + bytes;
      if (own === 0) byNamespace.delete(namespace);
      else byNamespace.set(namespace, own);
    },
  };
};

/**
 * Makes the handlers of /validate and /mutate, which share their bounds. The function is long because it is the way of a review through
 * the server, step by step: read, recognise, judge in time, answer, record.
 */
export const createReviewHandlers = (dependencies: ReviewHandlerDependencies): ((judge: Judge) => RequestHandler) => {
  const { recognise, log, metrics, nowMs, noteEvents } = dependencies;
  const {
    defaultTimeoutMs = DEFAULT_TIMEOUT_MS,
    maxConcurrent = MAX_CONCURRENT,
    maxJudgedBytes = MAX_JUDGED_BYTES,
    startTimer = createSharedTimer(),
    isDraining = () => false,
    memory = createTextMemory(),
  } = dependencies;
  const budget: BodyBudget = { ...MAX_READING };
  const judgedBytes = createJudgedBytes(maxJudgedBytes);
  const unjudged = createUnjudged(dependencies);
  const answerInTime = createAnswerInTime({ startTimer, ...unjudged });
  const recordDecision = createRecordDecision(log, metrics);
  const refuse = createRefuseRequest(log, metrics);
  let running = 0;
  metrics.showBodyBytes(
    () => MAX_READING.largeBytes - budget.largeBytes + MAX_READING.smallBytes - budget.smallBytes + judgedBytes.now(),
  );

  const answer = (
    response: ServerResponse,
    review: RecognisedReview,
    verdict: AdmissionAnswer,
    startMs: number,
  ): void => {
    if (isDraining()) response.setHeader('connection', 'close');
    sendJsonText(response, 200, toAdmissionText(review.uid, verdict, nowMs()));
    recordDecision(review, verdict, performance.now() - startMs);
    noteEvents?.(review, verdict);
  };

  const handle = async (judge: Judge, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const arrivedMs = performance.now();
    const isCrowded = running > maxConcurrent;
    if (!isJson(request)) {
      request.resume();
      return refuse(response, 'content_type');
    }
    const body = await readBody(request, budget, (bytes) => ({
      startMs: performance.now(),
      read: readReview(bytes, recognise, memory),
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
    const heldBytes = body.bytes > LARGE_BODY_BYTES ? body.bytes : 0;
    const isOverloaded = isCrowded || !judgedBytes.hasRoom(review.namespace, heldBytes);
    judgedBytes.add(review.namespace, heldBytes);
    const done = (): void => {
      judgedBytes.add(review.namespace, -heldBytes);
      for (const text of texts) memory.free(text);
    };
    if (isOverloaded) {
      done();
      return answer(response, review, unjudged.onOverload(review), startMs);
    }
    // The API server has been waiting since it began to send.
    const withinMs = deadlineMs(parseTimeoutMs(request.url ?? '') ?? defaultTimeoutMs) - (startMs - arrivedMs);
    const verdict = answerInTime(judge, review, withinMs, done);
    answer(response, review, verdict instanceof Promise ? await verdict : verdict, startMs);
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
