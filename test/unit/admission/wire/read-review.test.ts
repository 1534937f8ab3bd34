import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { recognise } from '../../../../src/admission/recognise.ts';
import { parseReview } from '../../../../src/admission/wire/parse.ts';
import { type ReadReview, readReview } from '../../../../src/admission/wire/read-review.ts';
import type { Review } from '../../../../src/admission/wire/review.ts';
import { createTextMemory } from '../../../../src/helm/text-memory.ts';
import { admissionReview } from '../../../http/admission-review.ts';

const LONG = 70_000;
const long = (character: string): string => character.repeat(LONG);

const memory = createTextMemory();
const read = (body: string | Buffer): ReadReview => readReview(Buffer.from(body), recognise, memory);

/** What plain parsing makes of it; undefined where it is not JSON. */
const parsePlainly = (body: string | Buffer): unknown => {
  try {
    const parsed = parseReview(JSON.parse(Buffer.from(body).toString('utf8')));
    return parsed.ok ? { ok: true, review: recognise(parsed.review) } : parsed;
  } catch {
    return undefined;
  }
};

/** The same with bytes as text. */
const resolve = (result: ReadReview): unknown => {
  if (!result.isJson) return undefined;
  if (result.parsed.ok) for (const data of dataOf(result.parsed.review)) if (isCut(data)) data.release = textOf(data);
  for (const text of result.texts) memory.free(text);
  return result.parsed;
};
type Data = { release?: unknown };
const dataOf = ({ object, oldObject }: Review): readonly Data[] =>
  [object?.data, oldObject?.data].filter((data): data is Data => typeof data === 'object' && data !== null);
const isCut = ({ release }: Data): boolean => release instanceof Uint8Array;
const textOf = ({ release }: Data): string => Buffer.from(release as Uint8Array).toString('latin1');
const countCut = (result: ReadReview): number =>
  result.isJson && result.parsed.ok ? dataOf(result.parsed.review).filter(isCut).length : 0;

const record = (release: string, rest: object = {}): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'sh.helm.release.v1.web.v1', namespace: 'shop', labels: { owner: 'helm' } },
  data: { release },
  ...rest,
});
const write = (object: object, oldObject?: object, resource = 'secrets'): string =>
  JSON.stringify(
    admissionReview({
      kind: { group: '', version: 'v1', kind: resource === 'secrets' ? 'Secret' : 'ConfigMap' },
      resource: { group: '', version: 'v1', resource },
      name: 'sh.helm.release.v1.web.v1',
      namespace: 'shop',
      object,
      oldObject,
    }),
  );

const forged = (json: string, short: string): string => json.replace(`"${long('A')}"`, short);

const cases: readonly { readonly name: string; readonly body: string | Buffer; readonly cut: number }[] = [
  { name: 'a new record', body: write(record(long('A'))), cut: 1 },
  { name: 'an update of a record', body: write(record(long('A')), record(long('B'))), cut: 2 },
  { name: 'a ConfigMap that is a record', body: write(record(long('A')), record(long('B')), 'configmaps'), cut: 2 },
  { name: 'a record that grows', body: write(record(long('A')), record('short')), cut: 1 },
  {
    name: 'space around every token',
    body: JSON.stringify(JSON.parse(write(record(long('A')), record(long('B')))), null, '\t \r\n').replaceAll(
      ':',
      ' : ',
    ),
    cut: 2,
  },
  { name: 'escaped quotes before it', body: write({ kind: '"', api: '\\"\\', ...record(long('A')) }), cut: 1 },
  { name: 'a short record', body: write(record('A')), cut: 0 },
  { name: 'what only looks like a record', body: write(record(long('A'), { metadata: { name: 'x' } })), cut: 0 },
  { name: 'a ConfigMap of a chart', body: write({ data: { release: long('A') } }, undefined, 'configmaps'), cut: 0 },
  { name: 'escapes', body: forged(write(record(long('A'))), `"${long('A')}\\u0041"`), cut: 0 },
  { name: 'an escaped quote', body: write(record(`${long('A')}","x":"${long('B')}`)), cut: 0 },
  { name: 'an escaped key', body: write(record(long('A'))).replace('"release"', '"rele\\u0061se"'), cut: 0 },
  { name: 'letters beyond ASCII', body: write(record(`${long('A')}ä`)), cut: 0 },
  { name: 'a control character', body: forged(write(record(long('A'))), `"${long('A')}\n${long('A')}"`), cut: 0 },
  { name: 'a control character at the end', body: forged(write(record(long('A'))), `"${long('A')}AA\u0001"`), cut: 0 },
  {
    name: 'bytes that are not UTF-8',
    body: Buffer.from(forged(write(record(long('A'))), `"${long('\xff')}"`), 'latin1'),
    cut: 0,
  },
  {
    name: 'the key in annotations',
    body: write(
      record(long('A'), { metadata: { ...(record('').metadata as object), annotations: { release: long('B') } } }),
    ),
    cut: 0,
  },
  { name: 'the key elsewhere', body: write(record(long('A'), { spec: { release: long('B') } })), cut: 0 },
  { name: 'the key within a string', body: write(record(JSON.stringify({ release: long('B') }))), cut: 0 },
  { name: 'the key as a value', body: write(record('A', { data: ['release', long('A')] })), cut: 0 },
  { name: 'the key twice', body: forged(write(record(long('A'))), `"${long('A')}","release":"${long('B')}"`), cut: 0 },
  { name: 'the key twice, then short', body: forged(write(record(long('A'))), `"${long('A')}","release":"B"`), cut: 0 },
  {
    name: 'the key twice, first short',
    body: forged(write(record(long('A'))), `"B","release":"${long('A')}"`),
    cut: 1,
  },
  {
    name: 'the object twice',
    body: write(record(long('A'))).replace('"object":', `"object":${JSON.stringify(record(long('B')))},"object":`),
    cut: 0,
  },
  { name: 'a list in its place', body: forged(write(record(long('A'))), `["${long('A')}"]`), cut: 0 },
  { name: 'a key of that length', body: forged(write(record(long('A'))), `{"${long('A')}":1}`), cut: 0 },
  { name: 'thousands of strings before', body: write({ list: Array(3_000).fill(''), ...record(long('A')) }), cut: 0 },
  { name: 'no end', body: write(record(long('A'))).slice(0, -10), cut: 0 },
  {
    name: 'nothing after the payload',
    body: write(record(long('A'))).slice(0, write(record(long('A'))).indexOf('AAA') + LONG),
    cut: 0,
  },
  { name: 'no colon', body: write(record(long('A'))).replace('"release":', '"release"'), cut: 0 },
  { name: 'two colons', body: write(record(long('A'))).replace('"release":', '"release"::'), cut: 0 },
  {
    name: 'space that JSON does not know',
    body: write(record(long('A'))).replace('"release":', '"release"\u00a0:'),
    cut: 0,
  },
  { name: 'not a review', body: JSON.stringify({ data: { release: long('A') } }), cut: 0 },
];

describe('a large review is read as if it had been parsed plainly:', () => {
  for (const { name, body, cut } of cases) {
    test(name, () => {
      const result = read(body);
      assert.equal(countCut(result), cut);
      assert.deepEqual(resolve(result), parsePlainly(body));
    });
  }
});

test('so are bodies that somebody has put together to be misread', () => {
  const text = fc.constantFrom(
    '',
    'release',
    'A',
    '\\',
    '"',
    '\\"',
    '":"',
    ' 0',
    long('A'),
    long('B'),
    `${long('A')}\\`,
    `"${long('A')}`,
  );
  const key = fc.constantFrom('release', 'data', 'object', 'oldObject', '__proto__', 'metadata', 'x');
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      text,
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      // As entries, so that a key may come twice.
      fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => ({ entries })),
    ),
  }));
  const print = (node: unknown): string => {
    if (Array.isArray(node)) return `[${node.map(print).join()}]`;
    if (typeof node !== 'object' || node === null) return JSON.stringify(node);
    const { entries } = node as { entries: readonly (readonly [string, unknown])[] };
    return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${print(inner)}`).join()}}`;
  };
  const broken = fc.option(fc.tuple(fc.nat(), fc.constantFrom('', '"', '\\', '\n', ':', 'ä', '}')), { freq: 2 });
  const object = fc.tuple(text, value, fc.boolean(), fc.boolean());
  fc.assert(
    fc.property(object, object, broken, (after, before, change) => {
      const [json, old] = [after, before].map(([release, more, isFirst, isLabelled]) => {
        const labels = isLabelled ? ',"labels":{"owner":"helm"}' : '';
        const data = `"data":{"release":${JSON.stringify(release)},"x":${print(more)}}`;
        const rest = `"metadata":{"name":"sh.helm.release.v1.web.v1"${labels}},"spec":${print(more)}`;
        return `{${isFirst ? `${data},${rest}` : `${rest},${data}`}}`;
      });
      let body = write({ object: 0 }, { object: 1 })
        .replace('{"object":0}', () => json ?? '')
        .replace('{"object":1}', () => old ?? '');
      if (change !== null) {
        // Near a quote, where it matters.
        const quotes = [...body.matchAll(/"/g)].map(({ index }) => index);
        const at = (quotes[change[0] % quotes.length] ?? 0) + (change[0] % 3) - 1;
        body = body.slice(0, at) + change[1] + body.slice(at + (change[0] % 2));
      }
      assert.deepEqual(resolve(read(body)), parsePlainly(body));
    }),
    { numRuns: 300 },
  );
});

test('the memory of texts is used again, and a reference to the old text finds it empty', () => {
  const first = memory.hold(Buffer.from(long('A')));
  const { byteLength } = first.buffer;
  memory.free(first);
  assert.equal(first.length, 0);
  memory.free(first);
  const second = memory.hold(Buffer.from(long('B')));
  assert.equal(second.buffer.byteLength, byteLength);
  assert.equal(Buffer.from(second).toString(), long('B'));
  assert.notEqual(memory.hold(Buffer.from(long('C'))).buffer, second.buffer);
});
