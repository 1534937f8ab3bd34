import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../../src/server/metrics.ts';

const seriesOf = (text: string, name: string): string[] =>
  text.split('\n').filter((line) => line.startsWith(`${name}{`));

test('the series stay bounded, whatever the codes are, and no review is lost in them', async () => {
  const metrics = createMetrics();
  for (let i = 0; i < 5000; i += 1) metrics.countReview('object', 'UPDATE', true, `why ${i}`, 1);
  const series = seriesOf(await metrics.registry.metrics(), 'belay_reviews_total');
  assert.ok(series.length <= 1001, String(series.length));
  assert.ok(series.some((line) => line.includes('code="other"')));
  const total = series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  assert.equal(total, 5000);
});

test('a code that was known before the bound was reached goes on being counted as itself', async () => {
  const metrics = createMetrics();
  for (let i = 0; i < 2000; i += 1) metrics.countReview('object', 'UPDATE', true, `why ${i}`, 1);
  metrics.countReview('object', 'UPDATE', true, 'why 0', 1);
  const series = seriesOf(await metrics.registry.metrics(), 'belay_reviews_total');
  assert.ok(series.some((line) => line.includes('code="why 0"') && line.endsWith(' 2')));
});

test('to read the metrics twice does not count twice', async () => {
  const metrics = createMetrics();
  metrics.countReview('record', 'CREATE', false, 'BelayFrozen', 1);
  await metrics.registry.metrics();
  assert.deepEqual(seriesOf(await metrics.registry.metrics(), 'belay_reviews_total'), [
    'belay_reviews_total{kind="record",operation="CREATE",decision="denied",code="BelayFrozen"} 1',
  ]);
});
