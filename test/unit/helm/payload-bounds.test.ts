import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decodePayload, readPayloadText } from '../../../src/helm/payload.ts';

const MIB = 1024 * 1024;
const encode = (json: string): string => gzipSync(json, { level: 1 }).toString('base64');
const release = (config: string): string => `{"name":"web","version":1,"config":${config}}`;

for (const [name, config, problem] of [
  ['four million small objects', `[${'{"a":1},'.repeat(3_700_000)}1]`, 'holds more than 200000 values'],
  ['millions of empty lists', `[${'[],'.repeat(5_000_000)}[]]`, 'holds more than 200000 values'],
  [
    'a million keys',
    `{${Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":{}`).join(',')}}`,
    'holds more than 200000 values',
  ],
  ['lists 300 deep', `${'['.repeat(300)}${']'.repeat(300)}`, 'is nested more than 200 deep'],
  ['30 MB of spaces', `${' '.repeat(30 * MIB)}1`, 'holds more than 4 MiB beside its templates and manifest'],
  [
    '30,000 strings just too short to be kept apart',
    JSON.stringify(Array.from({ length: 30_000 }, () => 'x'.repeat(1_000))),
    'holds more than 4 MiB beside its templates and manifest',
  ],
  [
    '5,000 long keys',
    `{${Array.from({ length: 5_000 }, (_, index) => `"${index}${'k'.repeat(1_100)}":1`).join(',')}}`,
    'holds more than 4 MiB beside its templates and manifest',
  ],
] as const) {
  test(`a record with ${name} is refused before anything is built of it`, () => {
    assert.throws(() => readPayloadText(encode(release(config)), 'ConfigMap'), {
      name: 'PayloadError',
      message: problem,
    });
  });
}

for (const [name, config] of [
  [
    'as many values as ten of the largest charts',
    JSON.stringify(Array.from({ length: 50_000 }, (_, index) => ({ [index]: index }))),
  ],
  ['a text of 20 MB', JSON.stringify({ dashboard: 'é\n'.repeat(7 * MIB) })],
  ['3 MB of short texts', JSON.stringify(Array.from({ length: 3_000 }, () => 'x'.repeat(1_000)))],
] as const) {
  test(`a record with ${name} is read`, () => {
    assert.equal(decodePayload(encode(release(config)), 'ConfigMap').name, 'web');
  });
}
