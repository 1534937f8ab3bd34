import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askHelmForRanges } from './ask-helm-for-ranges.ts';

/** Writes what Helm's own library says of the questions in chart-ranges.ts. */
const answers = await askHelmForRanges();
await writeFile(join(import.meta.dirname, 'chart-ranges.json'), `${JSON.stringify(answers, null, 2)}\n`);
