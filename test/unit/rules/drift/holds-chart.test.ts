import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { holdsChart } from '../../../../src/rules/drift/holds-chart.ts';

const holds = (chart: unknown, live: unknown): boolean => holdsChart(chart, live, undefined, true);

describe('an object holds what the chart sets', () => {
  const cases: readonly (readonly [what: string, chart: unknown, live: unknown, expected: boolean])[] = [
    ['a map with more', { a: 1 }, { a: 1, b: 2 }, true],
    ['a map with less', { a: 1, b: 2 }, { a: 1 }, false],
    ['a zero value that the API server leaves out', { a: 0, b: '', c: false, d: null }, {}, true],
    ['a whole map less', { a: { b: 1 } }, {}, false],
    [
      'items in the same order among others',
      [{ name: 'a' }, { name: 'b' }],
      [{ name: 'x' }, { name: 'a' }, { name: 'b' }],
      true,
    ],
    ['items in another order', [{ name: 'a' }, { name: 'b' }], [{ name: 'b', x: 1 }, { name: 'a' }], true],
    ['one item for two of the chart', ['a', 'a'], ['a', 'b'], false],
    ['an item less', ['a', 'b'], ['a'], false],
    ['an empty list that the API server leaves out', { a: [] }, {}, true],
    ['another type', { a: ['b'] }, { a: { 0: 'b' } }, false],
    [
      'a quantity in another notation',
      { resources: { requests: { cpu: '100m' } } },
      { resources: { requests: { cpu: '0.1' } } },
      true,
    ],
    ['keys that every object inherits', { constructor: 1 }, {}, false],
  ];
  for (const [what, chart, live, expected] of cases) test(what, () => assert.equal(holds(chart, live), expected));

  test('however deep, long and nested, in a time that is bounded', () => {
    const before = process.cpuUsage();
    let deep: unknown = 1;
    for (let level = 0; level < 5_000; level++) deep = { a: deep };
    assert.equal(holds(deep, deep), false);
    const items = Array.from({ length: 50_000 }, (_, index) => `item ${index}`);
    assert.equal(holds(items, items.toReversed()), false);
    assert.ok(holds(items, items));
    const nested = (level: number, leaf: string): unknown =>
      Array.from({ length: 40 }, (_, index) => (level === 0 ? `${leaf} ${index}` : nested(level - 1, leaf)));
    assert.equal(holds(nested(2, 'a'), nested(2, 'b')), false);
    const zeros = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key${index}`, 0]));
    const others = Array.from({ length: 100_000 }, () => ({ n: 2 }));
    assert.equal(holds([{ zeros, n: 1 }], others), false);
    const { user } = process.cpuUsage(before);
    assert.ok(user < 3_000_000, `took ${user} µs`);
  });
});
