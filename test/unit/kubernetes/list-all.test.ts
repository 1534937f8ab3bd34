import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { Agent } from 'undici';
import { RECORD_FIELDS } from '../../../src/facts/read-fields.ts';
import { toRecord } from '../../../src/helm/record.ts';
import { type Api, createApi, METADATA_LIST_ONLY } from '../../../src/kubernetes/api.ts';
import { type ListRequest, listPages, PAGE_SIZE } from '../../../src/kubernetes/list-all.ts';
import { AnswerTooLarge } from '../../../src/kubernetes/read-list.ts';

/** What a list costs, whatever its objects hold. The API server here is a server over HTTP that pages as the real one does. */

const KIB = 1024;
const MIB = 1024 * KIB;

interface Asked {
  readonly limit: number | undefined;
  readonly from: number;
}

interface Plane {
  readonly api: Api;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** Serves as many objects, each of which `itemAt` writes. */
const serve = async (count: number, itemAt: (index: number) => string): Promise<Plane> => {
  const asked: Asked[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    const limit = query.has('limit') ? Number(query.get('limit')) : undefined;
    const from = Number(query.get('continue') ?? 0);
    const until = Math.min(count, from + (limit ?? count));
    asked.push({ limit, from });
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = until < count ? `,"continue":"${until}"` : '';
    response.write(`{"kind":"PartialObjectMetadataList","metadata":{"resourceVersion":"7"${more}},"items":[`);
    for (let index = from; index < until && !response.destroyed; index += 1)
      response.write(`${index > from ? ',' : ''}${itemAt(index)}`);
    response.end(']}\n');
  };
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const dispatcher = new Agent();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    api: createApi({ server: url, headers: async () => ({}), dispatcher }),
    asked,
    close: async () => {
      await dispatcher.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
};

const REQUEST: ListRequest = { path: '/api/v1/secrets', accept: METADATA_LIST_ONLY, shape: RECORD_FIELDS };

const listed = async (api: Api, request: Partial<ListRequest> = {}) => {
  const items = [];
  for await (const page of listPages(api, { ...REQUEST, ...request })) items.push(...page.items);
  return items;
};

const plain = (index: number): string =>
  JSON.stringify({
    metadata: {
      name: `sh.helm.release.v1.web.v${index + 1}`,
      namespace: 'shop',
      labels: { owner: 'helm', name: 'web', status: 'superseded', version: String(index + 1) },
      managedFields: [{ time: '2026-01-01T00:00:00Z', fieldsV1: { 'f:data': { 'f:release': {} }, 'f:metadata': {} } }],
      annotations: { filler: 'x'.repeat(1_000) },
    },
  });

const fieldsOf = (count: number, characters: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, key) => [`f:${key}${'k'.repeat(characters)}`, {}]));

/** The metadata of Secrets that everybody may store who may write Secrets. */
const HOSTILE: Readonly<Record<string, () => object>> = {
  'managedFields of 2,600 long keys': () => ({
    managedFields: [{ time: '2026-01-01T00:00:00Z', fieldsV1: { 'f:data': fieldsOf(2_600, 250) } }],
  }),
  'managedFields of twenty thousand short keys': () => ({
    managedFields: [{ time: '2026-01-01T00:00:00Z', fieldsV1: fieldsOf(20_000, 1) }],
  }),
  'an annotation that JSON makes six times as long': () => ({ annotations: { junk: '\u0001'.repeat(50 * KIB) } }),
  'two thousand labels': () => ({ labels: { owner: 'helm', ...fieldsOf(2_000, 200) } }),
  'ten thousand finalizers': () => ({
    finalizers: Array.from({ length: 10_000 }, (_, at) => `example.com/finalizer-${at}`),
  }),
  'ten thousand owners': () => ({
    ownerReferences: Array.from({ length: 10_000 }, (_, at) => ({
      apiVersion: 'v1',
      kind: 'x',
      name: `n${at}`,
      uid: 'u',
    })),
  }),
};

describe('a flood of hostile metadata', () => {
  for (const [what, metadata] of Object.entries(HOSTILE))
    test(`${what}, in 20 Secrets, leaves a hundred bytes of each`, async () => {
      const rest = JSON.stringify(metadata()).slice(1);
      const plane = await serve(20, (index) => `{"metadata":{"name":"junk-${index}","namespace":"shop",${rest}}`);
      const items = await listed(plane.api);
      assert.equal(items.length, 20);
      assert.ok(JSON.stringify(items).length < 20 * 300, `kept ${JSON.stringify(items).length} bytes`);
      await plane.close();
    });

  test('between honest records hides none of them, and none of their locks', async () => {
    const annotations = { 'belay.dev/freeze': 'black friday', junk: 'x'.repeat(10 * KIB) };
    const plane = await serve(90, (index) =>
      index % 3 === 0
        ? plain(index)
        : JSON.stringify({
            metadata: { ...JSON.parse(plain(index)).metadata, annotations, finalizers: ['x'.repeat(20 * KIB)] },
          }),
    );
    const records = (await listed(plane.api)).map(({ metadata }) => toRecord('Secret', metadata));
    assert.deepEqual(
      records.map((record) => record?.revision),
      Array.from({ length: 90 }, (_, index) => index + 1),
    );
    assert.equal(records.filter((record) => record?.locks?.['belay.dev/freeze'] === 'black friday').length, 60);
    await plane.close();
  });
});

describe('pages', () => {
  test('of usual records soon are as large as may be', async () => {
    const plane = await serve(3_000, plain);
    assert.equal((await listed(plane.api)).length, 3_000);
    assert.deepEqual(
      plane.asked.slice(0, 4).map(({ limit }) => limit),
      [40, 160, PAGE_SIZE, PAGE_SIZE],
    );
    await plane.close();
  });

  test('of objects of a megabyte have a few each, and none is asked for twice for long', async () => {
    const plane = await serve(30, (index) =>
      JSON.stringify({ metadata: { name: `n${index}`, junk: 'x'.repeat(MIB) } }),
    );
    assert.equal((await listed(plane.api)).length, 30);
    const [, second, third] = plane.asked;
    assert.ok((second?.limit ?? 99) <= 4 && (third?.limit ?? 99) <= 4);
    assert.ok(plane.asked.length < 35, `asked ${plane.asked.length} times`);
    await plane.close();
  });

  test('of usual objects before large ones are asked for again with fewer, and nothing is missed or comes twice', async () => {
    const plane = await serve(620, (index) =>
      index < 520 ? plain(index) : JSON.stringify({ metadata: { name: `n${index}`, junk: 'x'.repeat(100 * KIB) } }),
    );
    const items = await listed(plane.api);
    assert.equal(new Set(items.map(({ metadata }) => metadata?.name)).size, 620);
    assert.equal(items.length, 620);
    await plane.close();
  });

  test('take the place of one answer that is too large', async () => {
    const plane = await serve(12, (index) =>
      JSON.stringify({ metadata: { name: `n${index}`, junk: 'x'.repeat(MIB) } }),
    );
    assert.equal((await listed(plane.api, { isWhole: true })).length, 12);
    assert.deepEqual(plane.asked[0], { limit: undefined, from: 0 });
    await plane.close();
  });

  test('of one object are read whatever its size', async () => {
    const plane = await serve(2, (index) =>
      JSON.stringify({ metadata: { name: `n${index}`, junk: 'x'.repeat(10 * MIB) } }),
    );
    assert.equal((await listed(plane.api)).length, 2);
    await plane.close();
  });

  test('end where a review must not read more', async () => {
    for (const isWhole of [true, false]) {
      const plane = await serve(12, (index) =>
        JSON.stringify({ metadata: { name: `n${index}`, junk: 'x'.repeat(MIB) } }),
      );
      await assert.rejects(listed(plane.api, { isWhole, maxBytes: 8 * MIB }), AnswerTooLarge);
      assert.ok(plane.asked.length < 10);
      await plane.close();
    }
  });
});
