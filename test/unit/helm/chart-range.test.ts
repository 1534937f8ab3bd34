import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { MAX_RANGE_LENGTH, parseRange } from '../../../src/helm/chart-range.ts';
import { compareVersions, parseVersion } from '../../../src/helm/chart-version.ts';
import { RANGE_QUESTIONS, type RangeAnswers } from '../../tables/chart-ranges.ts';

const file = join(import.meta.dirname, '../../tables/chart-ranges.json');
const helm = JSON.parse(await readFile(file, 'utf8')) as RangeAnswers;
const { ranges, versions } = RANGE_QUESTIONS;

const letterOf = (range: string, version: string): string => {
  const read = parseVersion(version);
  if (read === undefined) return '-';
  return parseRange(range)?.includes(read) ? 'y' : 'n';
};

test('the table has an answer of Helm for each range', () => {
  assert.equal(helm.ranges.length, ranges.length);
  assert.equal(helm.order.length, versions.length);
});

for (const [index, range] of ranges.entries()) {
  const answer = helm.ranges[index];
  test(`${JSON.stringify(range)} means the same to Belay and to Helm`, () => {
    if (answer === null) {
      assert.equal(parseRange(range), undefined, 'Helm cannot read it');
      return;
    }
    assert.ok(parseRange(range), 'Helm reads it');
    const letters = versions.map((version) => letterOf(range, version));
    assert.equal(letters.join(''), answer);
  });
}

test('versions are read and ordered as in Helm', () => {
  const order = versions.map((version, index) => {
    const [before, read] = [parseVersion(versions[index - 1] ?? ''), parseVersion(version)];
    return index === 0 || before === undefined || read === undefined ? null : compareVersions(read, before);
  });
  assert.deepEqual(order, helm.order);
});

const includes = (range: string, version: string): boolean | undefined => {
  const read = parseVersion(version);
  assert.ok(read);
  return parseRange(range)?.includes(read);
};

test('a range with a number after an x is refused', () => {
  for (const range of ['1.x.5', 'x.1', '*.2.3', '>=1.X.0']) assert.equal(parseRange(range), undefined, range);
});

test('a pin that names a build allows that build alone', () => {
  for (const range of ['1.4.0+b1', '=1.4.0+b1', '= 1.4.0+b1 || 2.0.0']) {
    assert.equal(includes(range, '1.4.0+b1'), true, range);
    assert.equal(includes(range, '1.4.0+b2'), false, range);
    assert.equal(includes(range, '1.4.0'), false, range);
  }
  assert.equal(includes('>=1.2, !=1.4.0+b1', '1.4.0+b1'), false);
  assert.equal(includes('>=1.2, !=1.4.0+b1', '1.4.0+b2'), true);
});

test('a pin that names no build allows every build', () => {
  for (const range of ['1.4.0', '=1.4.0', '1.4.x', '>=1.2 <2', '^1.4.0+b1'])
    assert.equal(includes(range, '1.4.0+b2'), true, range);
});

test('a range beyond the longest length is refused', () => {
  const range = `>=1.2.0-${'a'.repeat(MAX_RANGE_LENGTH - '>=1.2.0-'.length)}`;
  assert.ok(parseRange(range));
  assert.equal(parseRange(`${range}a`), undefined);
});
