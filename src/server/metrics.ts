import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ReviewKind } from '../admission/wire/answer.ts';
import type { Operation } from '../admission/wire/review.ts';

export type MalformedProblem =
  | 'content_type'
  | 'too_large'
  | 'truncated'
  | 'not_json'
  | 'not_a_review'
  | 'overloaded'
  /** Whoever asked has shown no certificate of the API server's (--client-ca-file). */
  | 'client';

export interface Metrics {
  readonly registry: Registry;
  /** `code` is the denial's code, or the short fixed word for why it was allowed. */
  countReview(kind: ReviewKind, operation: Operation, allowed: boolean, code: string, durationMs: number): void;
  /** A refusal that the policy did not enforce. */
  countWaived(action: 'Warn' | 'Audit', code: string): void;
  countDeadline(kind: ReviewKind): void;
  /** A review that no rule has answered, let pass or not. */
  countWithoutVerdict(kind: ReviewKind, reason: 'deadline' | 'failure' | 'overload'): void;
  countMalformed(problem: MalformedProblem): void;
  addInFlight(change: 1 | -1): void;
  /** What to show as the bytes of bodies in memory. */
  showBodyBytes(read: () => number): void;
}

/** The deadline is at most 29.5 s; an allowed object takes well under a millisecond. */
const BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A label's values live as long as the process. Codes are fixed words by contract; this bounds the damage if one is not. */
const MAX_SERIES = 1000;

export const createMetrics = (): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const reviews = new Counter({
    name: 'belay_reviews_total',
    help: 'Reviews answered.',
    labelNames: ['kind', 'operation', 'decision', 'code'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'belay_review_duration_seconds',
    help: 'Time from the end of the request to the answer.',
    labelNames: ['kind'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  const inFlight = new Gauge({
    name: 'belay_reviews_in_flight',
    help: 'Reviews being read or judged.',
    registers: [registry],
  });
  const deadline = new Counter({
    name: 'belay_review_deadline_total',
    help: 'Reviews answered by the deadline and not by a rule.',
    labelNames: ['kind'],
    registers: [registry],
  });
  const withoutVerdict = new Counter({
    name: 'belay_reviews_without_verdict_total',
    help: 'Reviews that no rule has answered: refused with BelayUnavailable, or let pass unchecked.',
    labelNames: ['kind', 'reason'],
    registers: [registry],
  });
  const bodyBytes = new Gauge({
    name: 'belay_body_bytes',
    help: 'Bytes of bodies that are being read, and of large ones that are being judged.',
    registers: [registry],
  });
  const waived = new Counter({
    name: 'belay_refusals_waived_total',
    help: 'Writes that a rule refused and the policy let pass, with a warning (Warn) or without (Audit).',
    labelNames: ['action', 'code'],
    registers: [registry],
  });
  const malformed = new Counter({
    name: 'belay_malformed_reviews_total',
    help: 'Requests that could not be read as a review.',
    labelNames: ['problem'],
    registers: [registry],
  });

  // prom-client hashes the labels on every `inc`. A plain number a series is cheaper; it is handed over when somebody asks.
  const counted = new Map<string, { labels: Record<string, string>; pending: number }>();
  Object.assign(reviews, {
    collect: () => {
      for (const series of counted.values()) {
        if (series.pending > 0) reviews.inc(series.labels, series.pending);
        series.pending = 0;
      }
    },
  });
  let inFlightNow = 0;
  Object.assign(inFlight, { collect: () => inFlight.set(inFlightNow) });

  return {
    registry,
    countReview: (kind, operation, allowed, code, durationMs) => {
      const decision = allowed ? 'allowed' : 'denied';
      let key = `${kind} ${operation} ${decision} ${code}`;
      let series = counted.get(key);
      if (series === undefined) {
        const known = counted.size < MAX_SERIES ? code : 'other';
        key = `${kind} ${operation} ${decision} ${known}`;
        series = counted.get(key) ?? { labels: { kind, operation, decision, code: known }, pending: 0 };
        counted.set(key, series);
      }
      series.pending += 1;
      duration.observe({ kind }, durationMs / 1000);
    },
    countWaived: (action, code) => waived.inc({ action, code }),
    countDeadline: (kind) => deadline.inc({ kind }),
    countWithoutVerdict: (kind, reason) => withoutVerdict.inc({ kind, reason }),
    countMalformed: (problem) => malformed.inc({ problem }),
    addInFlight: (change) => {
      inFlightNow += change;
    },
    showBodyBytes: (read) => {
      Object.assign(bodyBytes, { collect: () => bodyBytes.set(read()) });
    },
  };
};
