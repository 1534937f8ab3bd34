import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A test file that a document links as evidence, and the tests of it that the document names. */
export interface Evidence {
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly names: readonly string[];
}

/** `[file](../test/….test.ts) "a test", "another"`, over line breaks too. */
const EVIDENCE = /\]\(((?:\.\.\/)+test\/[^)]+\.test\.ts)\)((?:,?\s+"[^"]+")*)/g;

/** What the document at this path names as evidence, in the order of the text. */
export const readEvidence = async (root: string, document: string): Promise<readonly Evidence[]> => {
  const text = await readFile(join(root, document), 'utf8');
  return [...text.matchAll(EVIDENCE)].map(([, link = '', names = '']) => ({
    file: join(dirname(document), link),
    names: [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name.replaceAll(/\s+/g, ' ')),
  }));
};

/** The names that stand nowhere in the source as a string of their own: in a call of `test`, or in the table of cases that it goes through. */
export const missingFrom = (source: string, names: readonly string[]): readonly string[] => {
  const isThere = (name: string): boolean => ["'", '"', '`'].some((quote) => source.includes(quote + name + quote));
  return names.filter((name) => !isThere(name.replaceAll("'", "\\'")) && !isThere(name));
};
