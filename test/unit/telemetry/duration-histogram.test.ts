import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram, type Metric, Registry } from 'prom-client';
import { DurationHistogram } from '../../../src/telemetry/duration-histogram.ts';

test('a scraper sees what it would see of a histogram of prom-client', async () => {
  const options = { name: 'x_seconds', help: 'How long.' };
  const boundsSeconds = [0.001, 0.01, 1];
  const [ours, theirs] = [new Registry(), new Registry()];
  const own = new DurationHistogram({ ...options, label: 'kind', boundsSeconds });
  ours.registerMetric(own as unknown as Metric);
  const other = new Histogram({ ...options, labelNames: ['kind'], buckets: boundsSeconds, registers: [theirs] });
  assert.equal(await ours.metrics(), await theirs.metrics());
  for (const [kind, seconds] of [
    ['object', 0],
    ['object', 0.001],
    ['record', 0.5],
    ['object', 70],
    ['object', 0.02],
  ] as const) {
    own.observe(kind, seconds);
    other.observe({ kind }, seconds);
  }
  assert.equal(await ours.metrics(), await theirs.metrics());
});
