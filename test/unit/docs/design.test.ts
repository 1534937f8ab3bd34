import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { anchorsIn } from './anchors.ts';
import { missingFrom, readEvidence } from './evidence.ts';

/** docs/design.md, docs/helm.md and docs/decisions/ are true of the source and the tests as they are. */

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

const names = await readdir(join(ROOT, 'docs/decisions'));
const decisions = names.filter((name) => /^\d/.test(name)).sort();
const pages = [
  'docs/design.md',
  'docs/helm.md',
  'docs/clients.md',
  'docs/backup.md',
  ...decisions.map((name) => join('docs/decisions', name)),
];

const PATH = /(?<![\w./~-])(?:src|test|docs|manifests)\/[\w./-]*\w/g;

for (const page of pages) {
  describe(page, () => {
    test('every file and directory that it names is there', async () => {
      // What a link leads to is looked for by links.test.ts.
      const text = (await read(page)).replaceAll(/\]\([^)]*\)/g, ']');
      const missing = [...text.matchAll(PATH)].map(([path]) => path).filter((path) => !existsSync(join(ROOT, path)));
      assert.deepEqual(missing, []);
    });

    test('every test that it names is there', async () => {
      for (const { file, names } of await readEvidence(ROOT, page)) {
        assert.ok(names.length > 0, `${file} is linked without a test`);
        assert.deepEqual(missingFrom(await read(file), names), [], file);
      }
    });
  });
}

test('every rule of the design has its test beside it', async () => {
  const evidence = await readEvidence(ROOT, 'docs/design.md');
  assert.ok(evidence.length > 60, String(evidence.length));
});

test('every statement about Helm names a test, or says that it was read from the source', async () => {
  const lines = (await read('docs/helm.md')).replaceAll(/\n {2}/g, ' ').split('\n');
  const statements = lines.filter(
    (line) => line.startsWith('- ') || /^\| (?!operation|refused|client|writer)/.test(line),
  );
  assert.ok(statements.length > 40, String(statements.length));
  const isShown = (line: string): boolean => line.includes('.test.ts) "') || line.includes('**[source]**');
  assert.deepEqual(
    statements.filter((line) => !isShown(line)),
    [],
  );
});

describe('the decisions', () => {
  test('are numbered from 1 on, and all of them are in the list', async () => {
    const list = await read('docs/decisions/README.md');
    for (const [index, name] of decisions.entries()) {
      assert.ok(name.startsWith(`${String(index + 1).padStart(4, '0')}-`), name);
      const [, title = ''] = /^# \d+\. (.+)$/m.exec(await read(join('docs/decisions', name))) ?? [];
      assert.ok(list.includes(`| ${index + 1} | [${title}](${name}) |`), title);
    }
  });

  for (const name of decisions) {
    test(`${name} has the five headings`, async () => {
      const headings = [...(await read(join('docs/decisions', name))).matchAll(/^## (.+)$/gm)].map(
        ([, heading]) => heading,
      );
      const expected = [
        'Context',
        'Decision',
        'What was measured or tried',
        'Consequences',
        'What would change our mind',
      ];
      assert.deepEqual(headings, expected);
    });
  }
});

/** A comment that points to a page of the project: `docs/design.md#operations`. */
const POINTER = /\b(docs\/[\w/-]+\.md)#([\w-]+)/g;

test('every comment that points into docs/ points to a heading that is there', async () => {
  let found = 0;
  for (const folder of ['src', 'test']) {
    for (const entry of await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || !entry.name.endsWith('.ts') || path === import.meta.filename) continue;
      const source = await readFile(path, 'utf8');
      assert.doesNotMatch(source, /\b(DESIGN|HELM)\.md\b/, `${path}: the pages are docs/design.md and docs/helm.md`);
      for (const [pointer, page = '', anchor = ''] of source.matchAll(POINTER)) {
        found += 1;
        assert.ok(anchorsIn(await read(page)).includes(anchor), `${pointer} in ${path}`);
      }
    }
  }
  assert.ok(found > 0);
});
