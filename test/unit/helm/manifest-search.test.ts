import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseManifest } from '../../../src/helm/manifest.ts';
import { CostlyManifest, SEARCH_BOUNDS, searchManifest } from '../../../src/helm/manifest-search.ts';

const configMap = (name: string, data = 'a: b'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  ${data}\n`;
const wanted = (name: string) => ({ group: '', kind: 'ConfigMap', name });

/** A text in pieces of this many letters. */
const inPieces = (text: string, letters: number): readonly string[] =>
  Array.from({ length: Math.ceil(text.length / letters) }, (_, index) =>
    text.slice(index * letters, (index + 1) * letters),
  );

test('a manifest that is read piece by piece has the documents that it has as a whole', () => {
  const line = fc.constantFrom(
    '---',
    '--- # Source',
    '---\r',
    ' ---',
    '----',
    'apiVersion: v1',
    'kind: A',
    'metadata: {name: x}',
    '',
    '  a: b',
    '\uFEFF',
    'x\r',
  );
  fc.assert(
    fc.property(fc.array(line), fc.integer({ min: 1, max: 30 }), (lines, letters) => {
      const text = lines.join('\n');
      const { documents } = searchManifest(() => inPieces(text, letters), text.length, undefined);
      assert.deepEqual(documents, parseManifest(text));
    }),
  );
});

describe('of a manifest that is too large for all of its documents', () => {
  const bounds = { ...SEARCH_BOUNDS, maxWholeCharacters: 1_000 };
  const many = Array.from({ length: 100 }, (_, index) => configMap(`c-${index}`)).join('---\n');
  const search = (text: string, name: string) =>
    searchManifest(() => [text], text.length, wanted(name), bounds).documents.map((document) => document.name);

  test('the wanted object alone is read', () => {
    assert.deepEqual(search(many, 'c-42'), ['c-42']);
    assert.deepEqual(search(many, 'c-100'), []);
  });

  test('an object is found whatever its name is written like', () => {
    for (const name of ['"\\x6f\\x74her"', "'other'", '>-\n    other', '&a other', '"oth\\\n    er"'])
      assert.deepEqual(search(`${many}---\n${configMap(name)}`, 'other'), ['other'], name);
    assert.deepEqual(
      search(`${many}---\n{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"\\u006fther"}}`, 'other'),
      ['other'],
    );
    const list = `apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: other}\n- metadata: {name: third}\n`;
    assert.deepEqual(search(`${many}---\n${list}`, 'other'), ['other']);
  });

  test('a short manifest is read whole', () => {
    const { documents, isComplete } = searchManifest(() => [configMap('a')], 80, wanted('b'), bounds);
    assert.deepEqual([documents.length, isComplete], [1, true]);
  });
});

describe('a manifest takes too long', () => {
  for (const [name, text] of [
    ['with a document of millions of numbers', `${configMap('a')}x: [${'1,'.repeat(1_900_000)}1]`],
    ['with a document of millions of empty lists', `${configMap('a')}x: [${'[],'.repeat(1_300_000)}1]`],
    ['with a document of a million lines', `${configMap('a')}${'x: y\n'.repeat(800_000)}`],
    ['with the wanted object a hundred thousand times', `${configMap('a')}---\n`.repeat(100_000)],
  ] as const) {
    test(`${name}, and is not read`, () => {
      assert.throws(() => searchManifest(() => inPieces(text, 256 * 1024), text.length, wanted('a')), CostlyManifest);
    });
  }

  for (const [name, text] of [
    ['a document that is longer than any object', `${configMap('a')}x: |\n${'  text\n'.repeat(700_000)}`],
    ['a line of 30 MB', `${configMap('a')}x: ${'y'.repeat(30_000_000)}`],
  ] as const) {
    test(`with ${name} where all are wanted, and lists no such object`, () => {
      const pieces = () => inPieces(`${text}\n---\n${configMap('b')}`, 256 * 1024);
      assert.throws(() => searchManifest(pieces, text.length, undefined), CostlyManifest);
      assert.deepEqual(searchManifest(pieces, text.length, wanted('a')).documents, []);
      assert.equal(searchManifest(pieces, text.length, wanted('b')).documents.length, 1);
    });
  }

  test('but not with a dashboard of 2 MB', () => {
    const dashboard = `dashboard.json: |\n${'    {"a": [1, 2, {"b": "c"}],\n'.repeat(70_000)}`;
    assert.equal(searchManifest(() => [configMap('a', dashboard)], 3_000_000, wanted('a')).documents.length, 1);
  });
});
