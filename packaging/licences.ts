import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './product.ts';

/** `node_modules/a/node_modules/@b/c/index.js` -> `node_modules/a/node_modules/@b/c` */
const PACKAGE = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;

const readLicence = async (directory: string): Promise<string> => {
  const manifest = JSON.parse(await readFile(join(ROOT, directory, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const files = (await readdir(join(ROOT, directory))).filter((file) => /^(licen[cs]e|notice)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(ROOT, directory, file), 'utf8')));
  const title = `${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})`;
  return [title, '-'.repeat(title.length), ...texts.map((text) => text.replaceAll('\r\n', '\n').trim())].join('\n\n');
};

/** The licences of all bundled packages. The licences demand to be part of every copy. */
export const licencesOf = async (inputs: readonly string[]): Promise<string> => {
  const directories = new Set(inputs.flatMap((input) => PACKAGE.exec(input)?.[0] ?? []));
  const licences = await Promise.all([...directories].sort().map(readLicence));
  return `Belay contains the following packages.\n\n${licences.join('\n\n\n')}\n`;
};
