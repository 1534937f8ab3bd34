import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const DOCS = join(import.meta.dirname, '../../../docs');

/** `[file](../test/….test.ts) "a test", "another"`, over line breaks too. */
const EVIDENCE = /\]\((\.\.\/test\/[^)]+\.test\.ts)\)((?:,?\s+"[^"]+")*)/g;

const text = await readFile(join(DOCS, 'threat-model.md'), 'utf8');
const evidence = [...text.matchAll(EVIDENCE)].map(([, file = '', names = '']) => ({
  file,
  names: [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name.replaceAll(/\s+/g, ' ')),
}));

describe('the threat model', () => {
  test('names tests for what it claims', () => {
    assert.ok(evidence.length > 30);
    for (const { file, names } of evidence) assert.ok(names.length > 0, `${file} is linked without a test`);
  });

  for (const file of new Set(evidence.map((found) => found.file))) {
    test(`finds its tests in ${file}`, async () => {
      const source = await readFile(join(DOCS, file), 'utf8');
      const names = evidence.filter((found) => found.file === file).flatMap((found) => found.names);
      // As a string of its own: in a call of `test` or `fuzz`, or in the table of cases that it goes through.
      const isThere = (name: string): boolean => ["'", '"', '`'].some((quote) => source.includes(quote + name + quote));
      assert.deepEqual(
        names.filter((name) => !isThere(name.replaceAll("'", "\\'")) && !isThere(name)),
        [],
      );
    });
  }
});
