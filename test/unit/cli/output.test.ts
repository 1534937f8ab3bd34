import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { toJson } from '../../../src/cli/output/machine.ts';
import { layOut } from '../../../src/cli/output/table.ts';
import { toYaml } from '../../../src/cli/output/yaml.ts';

const cells = (...texts: readonly string[]) => texts.map((text) => ({ text }));

describe('a table', () => {
  test('has columns that are three spaces apart, and nothing after the last', () => {
    const { lines } = layOut([cells('NAME', 'AGE'), cells('a-long-name', '3m'), cells('é', '')]);
    assert.deepEqual(lines, ['NAME          AGE', 'a-long-name   3m', 'é']);
  });

  test('goes on as wide as it began', () => {
    const { widths } = layOut([cells('a-long-name', 'x')]);
    assert.deepEqual(layOut([cells('a', 'y')], widths).lines, ['a             y']);
  });

  test('of nothing is nothing', () => assert.deepEqual(layOut([]).lines, []));
});

describe('text of others', () => {
  const hostile = {
    reason: 'a\u001b[2Jb\u009b\u202e"\\ \ud83d\ude00 \u00a0x',
    lines: 'one\ntwo\n',
    quoted: "it's: #no comment",
    number: '1e3',
    empty: '',
    list: ['\u2028', null, 7, true],
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the very characters that are not to get through
  const DECEIVING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028\u00a0]/;

  const formats: readonly [string, string, (text: string) => unknown][] = [
    ['json', toJson(hostile), JSON.parse],
    ['yaml', toYaml(hostile), (text) => parse(text)],
  ];
  for (const [format, text, read] of formats)
    test(`is lost to no program in ${format}, and moves no terminal`, () => {
      assert.deepEqual(read(text), hostile);
      assert.doesNotMatch(text, DECEIVING);
    });
});
