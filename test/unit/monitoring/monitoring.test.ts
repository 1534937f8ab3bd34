import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { DENIALS } from '../../../docs/generate/denial-reference.ts';
import { LABEL_VALUES, labelsOf, openRegistry } from '../../../docs/generate/metrics.ts';
import { API_SERVER_LABEL_VALUES, API_SERVER_METRICS } from './api-server-metrics.ts';
import { type Query, readQuery } from './read-query.ts';

/** The alerts and the dashboard use only metrics and labels that exist. */

const MONITORING = join(import.meta.dirname, '../../../manifests/monitoring');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const { groups } = parse(await readFile(join(MONITORING, 'alerts.yaml'), 'utf8')) as {
  groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(await readFile(join(MONITORING, 'dashboard.json'), 'utf8')) as {
  readonly panels: readonly Panel[];
};

/** Prometheus sets these labels on everything that it scrapes from a Pod. */
const TARGET_LABELS = ['instance', 'job', 'namespace', 'pod'];

/** Labels of every series that can be asked for. */
const known = new Map<string, readonly string[]>(Object.entries(API_SERVER_METRICS));
const values: Readonly<Record<string, readonly string[]>> = {
  ...LABEL_VALUES,
  ...API_SERVER_LABEL_VALUES,
  code: Object.keys(DENIALS),
};

before(async () => {
  const registry = openRegistry();
  for (const { name, type } of await registry.getMetricsAsJSON()) {
    const labels = [...labelsOf(registry, name), ...TARGET_LABELS];
    if (String(type) !== 'histogram') known.set(name, labels);
    else
      for (const [suffix, more] of [
        ['bucket', ['le']],
        ['sum', []],
        ['count', []],
      ] as const)
        known.set(`${name}_${suffix}`, [...labels, ...more]);
  }
});

/** The mistakes in a query. */
const problemsOf = ({ selectors, groupings }: Query): readonly string[] => [
  ...selectors.flatMap(({ metric, matchers }) => {
    const labels = known.get(metric);
    if (labels === undefined) return [`there is no metric ${metric}`];
    return matchers.flatMap(({ label, operator, value }) => {
      if (!labels.includes(label)) return [`${metric} has no label ${label}`];
      const closed = values[label];
      if (closed === undefined) return [];
      const alternatives = operator.includes('~') ? value.split('|') : [value];
      return alternatives
        .filter((alternative) => !closed.includes(alternative))
        .map((alternative) => `${label} of ${metric} is never ${alternative}`);
    });
  }),
  ...groupings.flatMap(({ labels, metrics }) => {
    const possible = metrics.flatMap((metric) => known.get(metric) ?? []);
    return labels.filter((label) => !possible.includes(label)).map((label) => `${metrics} have no label ${label}`);
  }),
];

/** Labels that the result has, for the texts that name them. */
const resultLabels = ({ resultLabels: grouped, selectors }: Query): readonly string[] =>
  grouped ?? selectors.flatMap(({ metric }) => known.get(metric) ?? []);

const namedIn = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, label = '']) => label);

describe('an alert uses only metrics that exist', () => {
  for (const { alert, expr, annotations } of rules) {
    test(alert, () => {
      const query = readQuery(expr);
      assert.deepEqual(problemsOf(query), []);
      const text = `${annotations.summary} ${annotations.description}`;
      const named = namedIn(text, /\$labels\.(\w+)/g);
      assert.deepEqual(
        named.filter((label) => !resultLabels(query).includes(label)),
        [],
      );
    });
  }

  test('each has a name of its own, says how grave it is, what it means and what to do', () => {
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
    for (const { alert, labels, annotations } of rules) {
      assert.match(alert, /^Belay[A-Z]\w+$/);
      assert.ok(['critical', 'warning', 'info'].includes(labels.severity), alert);
      assert.ok(annotations.summary.length > 20 && annotations.description.length > 20, alert);
    }
  });

  test('the commands in alerts exist', () => {
    const commands = rules.flatMap(({ annotations }) =>
      namedIn(annotations.description, /`((?:belay|kubectl) [^`]+)`/g),
    );
    assert.ok(commands.length > 3);
    for (const command of commands)
      assert.match(
        command,
        /^(belay drift -A|kubectl (get (pods|events)|delete secret -n belay-system belay-certificates|delete validatingwebhookconfiguration,mutating))/,
      );
  });
});

describe('a panel uses only metrics that exist', () => {
  for (const { title, targets = [] } of dashboard.panels) {
    test(title, () => {
      for (const { expr, legendFormat } of targets) {
        const query = readQuery(expr);
        assert.deepEqual(problemsOf(query), [], expr);
        const named = namedIn(legendFormat, /\{\{(\w+)\}\}/g);
        assert.deepEqual(
          named.filter((label) => !resultLabels(query).includes(label)),
          [],
          legendFormat,
        );
      }
    });
  }

  test('no panel overlaps another', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
    );
    assert.equal(new Set(cells).size, cells.length);
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  });
});

test('every metric of Belay is on the dashboard or in an alert, but for those that say how much work was done', () => {
  const used = [...rules, ...dashboard.panels.flatMap(({ targets = [] }) => targets)]
    .flatMap(({ expr }) => readQuery(expr).selectors)
    .map(({ metric }) => metric);
  const unused = [...known.keys()].filter((metric) => metric.startsWith('belay_') && !used.includes(metric));
  assert.deepEqual(unused.filter((metric) => !/_(sum|count)$/.test(metric)).sort(), [
    'belay_certificate_reloads_total',
    'belay_certificate_steps_total',
    'belay_events_held_total',
    'belay_events_written_total',
    'belay_sweep_last_pass_releases',
    'belay_sweep_last_pass_seconds',
    'belay_sweep_objects_total',
    'belay_sweep_requests_total',
  ]);
});

describe('the mistake in a query is reported', () => {
  for (const [query, problem] of [
    ['belay_reviews', 'there is no metric belay_reviews'],
    ['sum(rate(belay_reviews_total{verdict="denied"}[5m]))', 'belay_reviews_total has no label verdict'],
    ['belay_reviews_total{decision="refused"}', 'decision of belay_reviews_total is never refused'],
    ['belay_reviews_total{kind=~"record|lease"}', 'kind of belay_reviews_total is never lease'],
    ['sum by (user) (belay_reviews_total)', 'belay_reviews_total have no label user'],
    [
      'apiserver_admission_webhook_rejection_count{error="x"}',
      'apiserver_admission_webhook_rejection_count has no label error',
    ],
  ] as const) {
    test(query, () => assert.deepEqual(problemsOf(readQuery(query)), [problem]));
  }
  test('that does not parse', () => assert.throws(() => readQuery('sum by (le (rate(x[5m]))'), SyntaxError));
});
