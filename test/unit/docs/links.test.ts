import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { anchorsIn } from './anchors.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Every page of a folder. */
const pagesOf = async (folder: string): Promise<readonly string[]> =>
  (await readdir(join(ROOT, folder))).filter((name) => name.endsWith('.md')).map((name) => join(folder, name));

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'manifests/README.md',
  ...(await pagesOf('docs')),
  ...(await pagesOf('docs/decisions')),
];

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
