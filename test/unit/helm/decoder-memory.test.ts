import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

const MIB = 1024 * 1024;
/** manifests/base allows 512 MiB. The rest of Belay takes 100 MiB more than this program at its busiest. */
const MAX_PEAK_MIB = 400;
/** As the Dockerfile starts Belay, in a container of 512 MiB. */
const FLAGS = ['--max-old-space-size=256', '--max-semi-space-size=16', '--v8-pool-size=1'];

const release = (more: string): string => `{"name":"web","version":1,"info":{"status":"deployed"}${more}}`;
const manifest = (text: string): string => release(`,"manifest":"${text}"`);
const OBJECT = 'apiVersion: v1\\nkind: A\\nmetadata: {name: a}\\n';

/** All are within the bounds, or they are so only for the payload and not for the manifest. */
const PAYLOADS: readonly (readonly [name: string, json: () => string])[] = [
  [
    'objects of as many shapes as there may be values',
    () => release(`,"config":[${Array.from({ length: 63_000 }, (_, index) => `{"k${index}":{}}`).join(',')}]`),
  ],
  [
    'as many short texts as there may be bytes',
    () => release(`,"config":["${`${'é'.repeat(500)}","`.repeat(3_900)}"]`),
  ],
  ['30 MB of texts that are kept apart', () => release(`,"config":[${`"${'é'.repeat(512)}",`.repeat(28_000)}1]`)],
  ['a manifest of 31 MB beyond ASCII', () => manifest('é\\n'.repeat(7.7 * MIB))],
  ['a manifest of 31 MB of small objects', () => manifest(`${OBJECT}---\\n`.repeat(500_000))],
  ['a manifest with the most expensive document', () => manifest(`${OBJECT}x: [${'[],'.repeat(60_000)}1]\\n`)],
  ['a manifest of backslashes', () => manifest('\\\\'.repeat(15 * MIB))],
];

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'belay-decode-'));
});
after(() => rm(directory, { recursive: true }));

describe('two threads at once decode', { concurrency: false }, () => {
  for (const [index, [name, json]] of PAYLOADS.entries()) {
    test(`${name}, and neither runs out of its heap nor takes the process beyond its limit`, async () => {
      const text = json();
      const files = await Promise.all(
        [1, 2].map(async (level) => {
          const file = join(directory, `${index}-${level}`);
          await writeFile(file, gzipSync(text, { level }).toString('base64'));
          return file;
        }),
      );
      const program = join(import.meta.dirname, 'decode-worst.ts');
      const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, program, ...files]);
      const { peakMib, failed } = JSON.parse(stdout) as { peakMib: number; failed: number };
      assert.equal(failed, 0);
      assert.ok(peakMib <= MAX_PEAK_MIB, `${peakMib} MiB`);
    });
  }
});
