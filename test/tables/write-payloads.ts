import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askHelmForPayloads } from './ask-helm-for-payloads.ts';
import { toTable } from './payload-answers.ts';

/** Writes what both Helms read out of the payloads in payloads.ts. */
const table = toTable(await askHelmForPayloads());
await writeFile(join(import.meta.dirname, 'payloads.json'), `${JSON.stringify(table, null, 2)}\n`);
