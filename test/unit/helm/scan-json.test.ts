import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type JsonBounds, type JsonScan, scanJson } from '../../../src/helm/scan-json.ts';

const BOUNDS: JsonBounds = { maxValues: 1000, maxDepth: 20, maxOtherBytes: 40_000, longBytes: 50 };

const scan = (text: string, bounds: Partial<JsonBounds> = {}) => scanJson(Buffer.from(text), { ...BOUNDS, ...bounds });

const countValues = (value: unknown): { values: number; members: number } => {
  if (typeof value !== 'object' || value === null) return { values: 1, members: 0 };
  const children = Object.values(value).map(countValues);
  return {
    values: children.reduce((sum, child) => sum + child.values, 1),
    members: children.reduce((sum, child) => sum + child.members, Array.isArray(value) ? 0 : children.length),
  };
};

test('every value counts, and an empty object or list one too many at most', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const { values, members } = countValues(value);
      const scanned = scan(JSON.stringify(value)) as JsonScan;
      assert.equal(scanned.members, members);
      assert.ok(scanned.values >= values, `${scanned.values} < ${values}`);
      assert.ok(scanned.values <= 2 * values, `${scanned.values} > 2 * ${values}`);
    }),
  );
});

test('what looks like JSON inside of a string does not count', () => {
  const { values, members } = scan(JSON.stringify({ a: '{"b":[1,2,{"c":"\\\\"}]}', 'd,"e:': '[' })) as JsonScan;
  assert.equal(members, 2);
  assert.ok(values <= 4);
});

test('a long string is told with its place, and does not count as other bytes', () => {
  const long = 'é"\\'.repeat(20);
  const json = Buffer.from(JSON.stringify({ manifest: long, short: 'x' }));
  const { longStrings, otherBytes } = scanJson(json, BOUNDS) as JsonScan;
  const [span] = longStrings;
  assert.equal(longStrings.length, 1);
  assert.ok(span);
  assert.equal(JSON.parse(`"${json.toString('utf8', span.start, span.end)}"`), long);
  assert.equal(otherBytes, json.length - (span.end - span.start));
});

for (const [name, text, problem] of [
  ['many small objects', `[${'{"a":1},'.repeat(1000)}1]`, 'values'],
  ['many empty lists', `[${'[],'.repeat(1000)}[]]`, 'values'],
  ['many numbers', `[${'1,'.repeat(1001)}1]`, 'values'],
  [
    'many members',
    JSON.stringify(Object.fromEntries(Array.from({ length: 1002 }, (_, index) => [index, 0]))),
    'values',
  ],
  ['deep lists', '['.repeat(21), 'depth'],
  ['deep objects', '{"a":'.repeat(21), 'depth'],
  ['many middling strings', JSON.stringify(Array.from({ length: 900 }, () => 'x'.repeat(49))), 'bytes'],
  ['spaces', ' '.repeat(40_001), 'bytes'],
] as const) {
  test(`${name} are found before anything is built of them`, () => {
    assert.equal(scan(text), problem);
  });
}

test('a text that is not JSON is scanned to its end', () => {
  for (const text of ['', '"', '"\\', '}{', ']]]', ':,:', '\u0000', '"a', '{"a":"\\"'])
    assert.equal(typeof scan(text), 'object');
});
