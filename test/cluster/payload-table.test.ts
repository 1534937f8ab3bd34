import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { askHelmForPayloads } from '../tables/ask-helm-for-payloads.ts';
import { toTable } from '../tables/payload-answers.ts';

test('the table of payloads says what the storage of both Helms says today', async () => {
  const written = JSON.parse(await readFile(join(import.meta.dirname, '../tables/payloads.json'), 'utf8')) as unknown;
  assert.deepEqual(written, toTable(await askHelmForPayloads()), 'write it anew: node test/tables/write-payloads.ts');
});
