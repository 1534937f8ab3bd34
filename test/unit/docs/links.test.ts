import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../../..');
const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'manifests/README.md',
  'docs/guide.md',
  'docs/reference.md',
  'docs/benchmarks.md',
  'docs/pipelines.md',
  'docs/migrating.md',
  'docs/threat-model.md',
  'SECURITY.md',
];

/** As GitHub makes them of headings. */
const anchorsIn = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

for (const document of DOCUMENTS) {
  test(`every link in ${document} leads somewhere`, async () => {
    const text = await readFile(join(ROOT, document), 'utf8');
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    for (const link of links.filter((link) => !link.includes('://'))) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? join(ROOT, document) : join(ROOT, dirname(document), path);
      const linked = await readFile(target, 'utf8').catch(() => assert.fail(`${link}: no ${relative(ROOT, target)}`));
      if (anchor !== undefined) assert.ok(anchorsIn(linked).includes(anchor), `${link}: no such heading`);
    }
  });
}
