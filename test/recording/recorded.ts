import { readFile, writeFile } from 'node:fs/promises';
import type { Recording } from './record-real.ts';

const fileOf = (name: string): URL => new URL(`recorded/${name}.json`, import.meta.url);

const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(fileOf(name), 'utf8'));

/** The recording as it is checked in. */
export const readRecording = async (): Promise<Recording> => ({
  exchanges: (await read('api-server')) as Recording['exchanges'],
  helm: {
    helm3: (await read('helm3')) as Recording['helm']['helm3'],
    helm4: (await read('helm4')) as Recording['helm']['helm4'],
  },
});

export const writeRecording = async ({ exchanges, helm }: Recording): Promise<void> => {
  const files = { 'api-server': exchanges, ...helm };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(fileOf(name), `${JSON.stringify(content, undefined, 1)}\n`);
  }
};
