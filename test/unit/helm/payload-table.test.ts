import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createDecoder } from '../../../src/helm/decoder.ts';
import { linesOf, type TableAnswer, toLine } from '../../tables/payload-answers.ts';
import { PAYLOAD_QUESTIONS } from '../../tables/payloads.ts';

/**
 * What both Helms read, and Belay refuses: Helm never writes it. A key that comes twice or in another spelling, an array of numbers for base64,
 * and times that only some versions of Go read; a release that is no release; and a place in a list that is empty, over which Helm stumbles.
 */
const REFUSED_ALL_THE_SAME: readonly RegExp[] = [
  /^as null$/,
  /^with a key twice$/,
  / in capitals$/,
  / is \[1,2\]$/,
  / is "2026-11-21T12:00:00,5Z"$/,
  / is "2026-11-21T12:00:00\+2[34]:\d\d"$/,
  / is "2026-11-21T1:00:00Z"$/,
  /^(hooks|chart\.templates|chart\.files|chart\.metadata\.(maintainers|dependencies)|chart\.lock\.dependencies) is \[null\]$/,
  /^(hooks|chart\.templates|chart\.metadata\.maintainers)\.0 is null$/,
  /^info\.rollback_revision is (7\.0|7e0)$/,
  / is 9007199254740993$/,
];

const table = JSON.parse(await readFile(join(import.meta.dirname, '../../tables/payloads.json'), 'utf8')) as Readonly<
  Record<string, TableAnswer>
>;

describe('a payload is read as both Helms read it, or refused', () => {
  const decoder = createDecoder(undefined, 1);
  after(() => decoder.close());
  const signal = new AbortController().signal;

  const read = async (payload: string): Promise<string | null> => {
    const job = { want: 'summary', kind: 'ConfigMap', payload } as const;
    const answer = await decoder.run<'summary'>(job, 'shop', signal);
    return answer.readable ? toLine(answer.result.summary) : null;
  };

  for (const { name, payload } of PAYLOAD_QUESTIONS) {
    test(`${name}`, async () => {
      const recorded = table[name];
      assert.notEqual(recorded, undefined, 'write the table anew: node test/tables/write-payloads.ts');
      const lines = linesOf(recorded ?? null);
      const found = await read(payload);
      if (found === null) {
        const isRead = lines.every((line) => line !== null);
        assert.equal(isRead, isRead && REFUSED_ALL_THE_SAME.some((pattern) => pattern.test(name)), 'Helm reads it');
        return;
      }
      for (const line of lines) assert.equal(found, line);
    });
  }
});
