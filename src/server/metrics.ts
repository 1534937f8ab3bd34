import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ReviewKind } from '../admission/wire/answer.ts';
import type { Operation } from '../admission/wire/review.ts';
import { collectedMetrics } from '../telemetry/collected-metrics.ts';

export type MalformedProblem =
  | 'content_type'
  | 'too_large'
  | 'truncated'
  | 'not_json'
  | 'not_a_review'
  | 'overloaded'
  /** The client has not shown the API server's certificate (--client-ca-file). */
  | 'client';

export interface Metrics {
  readonly registry: Registry;
  /** `code` is the denial's code, or the short fixed word for why it was allowed. */
  countReview(kind: ReviewKind, operation: Operation, allowed: boolean, code: string, durationMs: number): void;
  /** Counts a refusal that the policy did not enforce. */
  countWaived(action: 'Warn' | 'Audit', code: string): void;
  countDeadline(kind: ReviewKind): void;
  /** Counts a review that no rule has answered, whether it passed or was refused. */
  countWithoutVerdict(kind: ReviewKind, reason: 'deadline' | 'failure' | 'overload' | 'costly' | 'oversized'): void;
  countMalformed(problem: MalformedProblem): void;
  addInFlight(change: 1 | -1): void;
  /** Sets where the metric of bytes of bodies in memory is read from. */
  showBodyBytes(read: () => number): void;
}

/** The buckets, in seconds: an allowed object takes well under a millisecond, and the deadline is at most 29.5 s. */
const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Most codes that get a series. A label's values live as long as the process. Codes are fixed words, and this bounds the damage if one is not. */
const MAX_SERIES = 1000;

/** The metrics of reviews. The function is long because it has every metric with its help. */
export const createMetrics = (): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const countBy = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers });
  const countReviews = createReviewCounter(registry);
  const duration = new Histogram({
    name: 'belay_review_duration_seconds',
    help: 'Time from the end of the request to the answer.',
    labelNames: ['kind'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const inFlight = new Gauge({ name: 'belay_reviews_in_flight', help: 'Reviews being read or judged.', registers });
  const deadline = countBy('belay_review_deadline_total', 'Reviews answered by the deadline and not by a rule.', [
    'kind',
  ]);
  const withoutVerdict = countBy(
    'belay_reviews_without_verdict_total',
    'Reviews that no rule has answered: refused with BelayUnavailable, or let pass unchecked.',
    ['kind', 'reason'],
  );
  let readBodyBytes = (): number => 0;
  collectedMetrics(registry).gauge(
    'belay_body_bytes',
    'Bytes of bodies that are being read, and of large ones that are being judged.',
    () => readBodyBytes(),
  );
  const waived = countBy(
    'belay_refusals_waived_total',
    'Writes that a rule refused and the policy let pass, with a warning (Warn) or without (Audit).',
    ['action', 'code'],
  );
  const malformed = countBy('belay_malformed_reviews_total', 'Requests that could not be read as a review.', [
    'problem',
  ]);

  return {
    registry,
    countReview: (kind, operation, allowed, code, durationMs) => {
      countReviews(kind, operation, allowed, code);
      duration.observe({ kind }, durationMs / 1000);
    },
    countWaived: (action, code) => waived.inc({ action, code }),
    countDeadline: (kind) => deadline.inc({ kind }),
    countWithoutVerdict: (kind, reason) => withoutVerdict.inc({ kind, reason }),
    countMalformed: (problem) => malformed.inc({ problem }),
    addInFlight: (change) => inFlight.inc(change),
    showBodyBytes: (read) => {
      readBodyBytes = read;
    },
  };
};

/** Counts answers by the kind of the review and by code. The number of series is bounded. */
const createReviewCounter = (registry: Registry) => {
  const reviews = new Counter({
    name: 'belay_reviews_total',
    help: 'Reviews answered.',
    labelNames: ['kind', 'operation', 'decision', 'code'],
    registers: [registry],
  });
  const known = new Set<string>();
  return (kind: ReviewKind, operation: Operation, allowed: boolean, code: string): void => {
    const decision = allowed ? 'allowed' : 'denied';
    const series = `${kind} ${operation} ${decision} ${code}`;
    const isKnown = known.has(series) || known.size < MAX_SERIES;
    if (isKnown) known.add(series);
    reviews.inc({ kind, operation, decision, code: isKnown ? code : 'other' });
  };
};
