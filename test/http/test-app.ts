import type { Express } from 'express';
import type { AdmissionAnswer, ReviewKind } from '../../src/admission/wire/answer.ts';
import { type AppDependencies, createApp } from '../../src/server/app.ts';
import { createMetrics, type Metrics } from '../../src/server/metrics.ts';
import { createLog } from '../../src/telemetry/log.ts';

export interface TestApp {
  readonly app: Express;
  readonly metrics: Metrics;
  /** The lines of the log. */
  readonly lines: Record<string, unknown>[];
}

export const allowed: AdmissionAnswer = { allowed: true, why: 'unchanged' };

/** The app as `serve` makes it. Its judges allow everything where a test gives no others. */
export const createTestApp = (overrides: Partial<AppDependencies> = {}, kind: ReviewKind = 'object'): TestApp => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ write: (line) => lines.push(JSON.parse(line)) });
  const metrics = createMetrics();
  const app = createApp({
    admit: async () => allowed,
    mutate: async () => allowed,
    recognise: (review) => ({ ...review, reviewKind: kind, aspects: [] }),
    readiness: () => [],
    log,
    metrics,
    nowMs: Date.now,
    ...overrides,
  });
  return { app, metrics, lines };
};
