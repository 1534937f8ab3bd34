import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { askHelmForRanges } from '../tables/ask-helm-for-ranges.ts';

test("the table of ranges says what Helm's own library says today", async () => {
  const written = JSON.parse(
    await readFile(join(import.meta.dirname, '../tables/chart-ranges.json'), 'utf8'),
  ) as unknown;
  assert.deepEqual(written, await askHelmForRanges(), 'write it anew: node test/tables/write-chart-ranges.ts');
});
