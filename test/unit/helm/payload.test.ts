import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createDecoder } from '../../../src/helm/decoder.ts';
import { changedParts, decodePayload, MAX_PAYLOAD_BYTES, type Payload, summarize } from '../../../src/helm/payload.ts';

const hook = {
  name: 'migrate',
  kind: 'Job',
  path: 'a.yaml',
  manifest: 'kind: Job',
  events: ['pre-upgrade'],
  last_run: {},
};
const release = {
  name: 'web',
  namespace: 'shop',
  version: 3,
  info: { status: 'deployed', deleted: '' },
  chart: { metadata: { name: 'shop', version: '1.4.0' }, templates: [{ name: 'a', data: 'eA==' }], lock: null },
  config: { replicas: 2 },
  manifest: '---\nkind: ConfigMap\n',
  hooks: [hook],
};

const once = (bytes: Buffer): string => bytes.toString('base64');
const twice = (bytes: Buffer): string => once(Buffer.from(once(bytes)));

describe('a payload', () => {
  const json = Buffer.from(JSON.stringify(release));
  const cases = [
    { name: 'in a Secret', kind: 'Secret', encoded: twice(gzipSync(json)) },
    { name: 'in a ConfigMap', kind: 'ConfigMap', encoded: once(gzipSync(json)) },
    { name: 'not compressed, as the oldest Helm 3 wrote it', kind: 'ConfigMap', encoded: once(json) },
  ] as const;
  for (const { name, kind, encoded } of cases) {
    test(`is read ${name}`, () => {
      assert.deepEqual(summarize(decodePayload(encoded, kind)), {
        name: 'web',
        namespace: 'shop',
        revision: 3,
        status: 'deployed',
        deleted: '',
        chartName: 'shop',
        chartVersion: '1.4.0',
      });
    });
  }

  // Longer than the part that is decoded at once.
  const large = { ...release, manifest: randomBytes(300_000).toString('latin1') };
  const sources = [
    { name: 'once', kind: 'ConfigMap', encoded: once(gzipSync(JSON.stringify(large))) },
    { name: 'twice', kind: 'Secret', encoded: twice(gzipSync(JSON.stringify(large))) },
  ] as const;
  const changes: readonly (readonly [name: string, change: (encoded: string) => string])[] = [
    ['as it is', (encoded) => encoded],
    ['broken into lines', (encoded) => encoded.replace(/.{76}/g, '$&\r\n')],
    ['a character too many in front', (encoded) => ` ${encoded}`],
    ['letters beyond ASCII between', (encoded) => `${encoded.slice(0, 70_000)}ä€${encoded.slice(70_000)}`],
    ['an end in the middle', (encoded) => `${encoded.slice(0, 70_000)}==${encoded.slice(70_000)}`],
    ['an end where it is cut', (encoded) => `${encoded.slice(0, 65_534)}==${encoded.slice(65_536)}`],
  ];
  for (const { name, kind, encoded } of sources) {
    for (const [how, change] of changes) {
      test(`encoded ${name}, ${how}, is read from bytes as from text`, () => {
        const read = (source: string | Uint8Array): unknown => {
          try {
            return decodePayload(source, kind);
          } catch (error) {
            return error;
          }
        };
        const text = change(encoded);
        assert.deepEqual(read(Buffer.from(text)), read(text));
        if (how === 'as it is') assert.deepEqual(read(text), large);
      });
    }
  }

  const bad = [
    { name: 'garbage', encoded: once(Buffer.from('hello')), problem: 'is not JSON' },
    { name: 'broken gzip', encoded: once(Buffer.from([0x1f, 0x8b, 1, 2, 3])), problem: 'is not valid gzip' },
    { name: 'a list', encoded: once(Buffer.from('[]')), problem: 'is not a release' },
    {
      name: 'a gzip bomb',
      encoded: once(gzipSync(Buffer.alloc(MAX_PAYLOAD_BYTES + 1))),
      problem: 'decompresses to more than 32 MiB',
    },
  ];
  for (const { name, encoded, problem } of bad) {
    test(`that is ${name} is refused without quoting it`, () => {
      assert.throws(() => decodePayload(encoded, 'ConfigMap'), { name: 'PayloadError', message: problem });
    });
  }
});

describe('the parts of a revision that never change', () => {
  const cases: readonly { name: string; after: Payload; changed: readonly string[] }[] = [
    { name: 'a status moved', after: { ...release, info: { status: 'superseded' } }, changed: [] },
    {
      name: 'another version of Helm drops empty fields and adds modtime',
      after: {
        ...release,
        chart: {
          metadata: release.chart.metadata,
          templates: [{ name: 'a', data: 'eA==', modtime: '2026-01-01T00:00:00Z' }],
        } as Payload['chart'] & object,
      },
      changed: [],
    },
    {
      name: "a default value with the name of a file's time",
      after: { ...release, chart: { ...release.chart, values: { modtime: 'x' } } as Payload['chart'] & object },
      changed: ['chart'],
    },
    { name: 'a value set to false', after: { ...release, config: { replicas: 2, tls: false } }, changed: ['config'] },
    { name: 'the manifest', after: { ...release, manifest: 'kind: Secret' }, changed: ['manifest'] },
    { name: 'a value', after: { ...release, config: { replicas: 3 } }, changed: ['config'] },
    {
      name: 'the chart version',
      after: { ...release, chart: { ...release.chart, metadata: { name: 'shop', version: '1.5.0' } } },
      changed: ['chart'],
    },
    {
      name: 'a hook ran, and another version of Helm drops a field',
      after: {
        ...release,
        hooks: [
          {
            ...hook,
            last_run: { phase: 'Succeeded' },
            delete_policies: ['before-hook-creation'],
            output_log_policies: ['hook-failed'],
          },
        ],
      },
      changed: [],
    },
    { name: 'a hook was added', after: { ...release, hooks: [hook, { ...hook, name: 'evil' }] }, changed: ['hooks'] },
    { name: "a hook's manifest", after: { ...release, hooks: [{ ...hook, manifest: 'evil' }] }, changed: ['hooks'] },
    { name: 'the hooks gone', after: { ...release, hooks: [] }, changed: ['hooks'] },
    { name: 'all of it gone', after: {}, changed: ['chart', 'config', 'manifest', 'hooks'] },
  ];
  for (const { name, after, changed } of cases) {
    test(name, () => assert.deepEqual(changedParts(release, after), changed));
  }
});

test('a worker thread answers only what was asked, also for an unreadable payload', async () => {
  const decoder = createDecoder();
  try {
    const { signal } = new AbortController();
    const payload = twice(gzipSync(Buffer.from(JSON.stringify(release))));
    const read = await decoder.run<'documents'>(
      { want: 'documents', kind: 'Secret', payload, wanted: undefined },
      'team',
      signal,
    );
    assert.equal(read.readable && read.result.summary.chartName, 'shop');
    const unread = await decoder.run<'summary'>({ want: 'summary', kind: 'Secret', payload: 'AAAA' }, 'team', signal);
    assert.deepEqual(unread, { readable: false, problem: 'is not valid base64' });
  } finally {
    await decoder.close();
  }
});
