import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { missingFrom, readEvidence } from './evidence.ts';

const ROOT = join(import.meta.dirname, '../../..');
const evidence = await readEvidence(ROOT, 'docs/threat-model.md');

describe('the threat model', () => {
  test('names tests for what it claims', () => {
    assert.ok(evidence.length > 30);
    for (const { file, names } of evidence) assert.ok(names.length > 0, `${file} is linked without a test`);
  });

  for (const file of new Set(evidence.map((found) => found.file))) {
    test(`finds its tests in ${file}`, async () => {
      const names = evidence.filter((found) => found.file === file).flatMap((found) => found.names);
      assert.deepEqual(missingFrom(await readFile(join(ROOT, file), 'utf8'), names), []);
    });
  }
});
