import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

/** CONTRIBUTING.md is true of the source as it is. */

const ROOT = join(import.meta.dirname, '../../..');
const text = await readFile(join(ROOT, 'CONTRIBUTING.md'), 'utf8');

/** Files that its example would add. They are the only missing files that it may name. */
const EXAMPLE = ['src/rules/prereleases.ts', 'test/unit/rules/prereleases.test.ts'];

const PATH = /(?<![\w./~-])(?:src|test|docs|manifests|packaging|\.ci)\/[\w./-]*\w|(?<![\w/])[\w-]+\.(?:md|json)\b/g;

test('every file and directory that it names is there', () => {
  const named = new Set([...text.matchAll(PATH)].map(([path]) => path));
  assert.ok(named.size > 40, String(named.size));
  assert.deepEqual(
    [...named].filter((path) => !existsSync(join(ROOT, path))),
    EXAMPLE,
  );
});

test('every directory of the source is in its table', async () => {
  const entries = await readdir(join(ROOT, 'src'), { withFileTypes: true });
  for (const entry of entries)
    assert.ok(text.includes(`\`src/${entry.name}${entry.isDirectory() ? '/' : ''}\``), entry.name);
});

test('every target of make that it names is there', async () => {
  const makefile = await readFile(join(ROOT, 'Makefile'), 'utf8');
  for (const [, target] of text.matchAll(/`make ([\w-]+)/g)) assert.match(makefile, new RegExp(`^${target}:`, 'm'));
});

test('every place that has to name all denial codes names them', async () => {
  const named = [...text.matchAll(/^ {3}- `((?:src|test|docs)\/[\w./-]+)`/gm)].map(([, path = '']) => path);
  assert.equal(named.length, 5);
  for (const path of named) assert.match(await readFile(join(ROOT, path), 'utf8'), /\bBelayDowngrade\b/, path);
});
