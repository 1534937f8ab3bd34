import type { Registry } from 'prom-client';
import type { ReviewKind } from '../../src/admission/wire/answer.ts';
import type { Step } from '../../src/certificates/assess.ts';
import type { Failure } from '../../src/certificates/keeper.ts';
import { registerCertificateMetrics } from '../../src/certificates/metrics.ts';
import type { Problem, UncheckedObject } from '../../src/drift/findings.ts';
import { createKnownDrift } from '../../src/drift/known-drift.ts';
import { registerDriftMetrics } from '../../src/drift/metrics.ts';
import { createSweepStats, type ReleaseOutcome, type RepairResult } from '../../src/drift/sweep-stats.ts';
import { registerEventMetrics } from '../../src/events/metrics.ts';
import { registerIndexMetrics } from '../../src/facts/metrics.ts';
import { DEFAULT_INTERVALS } from '../../src/intervals/intervals.ts';
import { registerLoadMetrics } from '../../src/server/load-metrics.ts';
import { createMetrics, type MalformedProblem } from '../../src/server/metrics.ts';
import { code, codes, section, table } from './markdown.ts';

/** A new value does not compile until it is listed here. */
const KINDS: Readonly<Record<ReviewKind, true>> = {
  record: true,
  object: true,
  scale: true,
  hook: true,
  namespace: true,
  claim: true,
  policy: true,
  unknown: true,
};
const PROBLEMS: Readonly<Record<MalformedProblem, true>> = {
  content_type: true,
  too_large: true,
  truncated: true,
  not_json: true,
  not_a_review: true,
  overloaded: true,
  client: true,
};

const DRIFTS: Readonly<Record<Problem, string>> = {
  missing: 'there is no such object',
  unmarked: 'it does not say that it belongs to the release',
  changed: 'fields that the chart sets',
  added: 'only fields that others put beside them',
};
const OUTCOMES: Readonly<Record<ReleaseOutcome, true>> = {
  checked: true,
  failed: true,
  'no record': true,
  'operation in flight': true,
  'nothing deployed': true,
  'unreadable record': true,
  'namespace is terminating': true,
  'policy says Off': true,
};
const RESULTS: Readonly<Record<RepairResult, true>> = {
  restored: true,
  created: true,
  pruned: true,
  nothing: true,
  failed: true,
  overtaken: true,
  fight: true,
};
const UNCHECKED: Readonly<Record<UncheckedObject['why'], true>> = {
  forbidden: true,
  'unknown kind': true,
  failed: true,
};

const STEPS: Readonly<Record<Step, string>> = {
  renew: 'a new serving certificate by the same authority',
  publish: 'the next authority is trusted beside the one that signs',
  switch: 'it signs',
  prune: 'the one before is trusted no more',
  replace: 'a new authority at once, for want of one that works',
};
const FAILURES: Readonly<Record<Failure, string>> = {
  secret: 'the Secret could not be read or written',
  content: 'what somebody else has put into it cannot be served',
  injection: 'the webhook configurations could not be read or written',
};

const explained = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([value, meaning]) => `${code(value)}: ${meaning}`)
    .join('; ');

/** The values of labels with a closed set. Tests compare alerts and the dashboard with them. */
export const LABEL_VALUES: Readonly<Record<string, readonly string[]>> = {
  kind: Object.keys(KINDS),
  decision: ['allowed', 'denied'],
  action: ['Warn', 'Audit'],
  problem: Object.keys(PROBLEMS),
  cause: ['queue', 'limit', 'failed'],
  drift: Object.keys(DRIFTS),
  outcome: Object.keys(OUTCOMES),
  result: Object.keys(RESULTS),
  why: Object.keys(UNCHECKED),
  step: Object.keys(STEPS),
  failure: Object.keys(FAILURES),
  certificate: ['serving', 'authority'],
};

const LABELS: Readonly<Record<string, string>> = {
  kind: `what the review is about: ${codes(Object.keys(KINDS))}`,
  operation: 'of the API server: `CREATE`, `UPDATE`, `DELETE`, `CONNECT`',
  decision: '`allowed` or `denied`',
  code: 'the code of the refusal; of what was allowed, a word or two for why, as the log has it',
  action: '`Warn` or `Audit`',
  problem: codes(Object.keys(PROBLEMS)),
  cause: '`queue`: no room in it; `limit`: too many of one release or namespace; `failed`: not taken by the API server',
  reason: '`deadline`: not in time; `overload`: too many at once; `failure`: something went wrong, the log says what',
  namespace: 'of the release',
  release: 'its name',
  drift: explained(DRIFTS),
  certificate: '`serving` or `authority`',
  step: explained(STEPS),
  failure: explained(FAILURES),
  outcome: codes(Object.keys(OUTCOMES)),
  result: `${codes(Object.keys(RESULTS))}: somebody keeps changing it`,
  why: codes(Object.keys(UNCHECKED)),
};

/** The metrics of Node itself, which prom-client collects. */
const isBelays = (name: string): boolean => name.startsWith('belay_');

/** The registry as src/serve.ts makes it. The values do not matter here. */
export const openRegistry = (): Registry => {
  const { registry } = createMetrics();
  const mirrored = { recordCount: () => 0, isSynced: () => false, silenceMs: () => 0, staleMs: () => 0 };
  registerIndexMetrics(registry, mirrored, mirrored);
  registerLoadMetrics(registry, { apiRunning: () => 0, apiWaiting: () => 0, decoderWaiting: () => 0 });
  registerEventMetrics(registry, {
    counts: () => ({ written: 0, held: 0, dropped: { queue: 0, limit: 0, failed: 0 } }),
  });
  registerCertificateMetrics(registry, {
    current: () => undefined,
    stats: () => ({
      steps: { renew: 0, publish: 0, switch: 0, prune: 0, replace: 0 },
      failures: { secret: 0, content: 0, injection: 0 },
      reloads: 0,
    }),
  });
  const known = createKnownDrift(DEFAULT_INTERVALS.sweep.tellAgainMs);
  registerDriftMetrics(registry, createSweepStats(known, { backlog: () => 0 }).read, () => 0);
  return registry;
};

interface Described {
  readonly name: string;
  readonly help: string;
  /** prom-client has this field on each metric, and leaves it out of its types. */
  readonly labelNames: readonly string[];
}

export const labelsOf = (registry: Registry, name: string): readonly string[] =>
  (registry.getSingleMetric(name) as unknown as Described).labelNames;

export const metrics = async (): Promise<string> => {
  const registry = openRegistry();
  const described = (await registry.getMetricsAsJSON()).filter(({ name }) => isBelays(name));
  const labels = new Set(described.flatMap(({ name }) => labelsOf(registry, name)));
  return section(
    'Metrics',
    'Each replica serves them at `/metrics` by plain HTTP, on port 9090 unless `--metrics-port` says otherwise. Beside these there are the usual ones of a Node process (`process_*`, `nodejs_*`).',
    table(
      ['metric', 'type', 'labels', 'meaning'],
      described.map(({ name, type, help }) => [code(name), String(type), codes(labelsOf(registry, name)), help]),
    ),
    table(
      ['label', 'values'],
      [...labels].map((label) => [code(label), LABELS[label] ?? unexplained(label)]),
    ),
  );
};

const unexplained = (label: string): never => {
  throw new Error(`the label ${label} is not explained in docs/generate/metrics.ts`);
};
