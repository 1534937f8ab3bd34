import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { listShape, objectShape, watchShape } from '../../../src/kubernetes/object-shape.ts';
import { createPruner, type Shape } from '../../../src/kubernetes/prune-json.ts';

/** Sends the text in pieces of so many bytes. */
const prune = (shape: Shape, text: string, pieceBytes = 1): { handedOut: unknown[]; rest: string } => {
  const handedOut: unknown[] = [];
  const pruner = createPruner(shape, (item) => handedOut.push(JSON.parse(item)));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) pruner.push(bytes.subarray(at, at + pieceBytes));
  return { handedOut, rest: pruner.rest() };
};

const RECORD = objectShape({
  isLabelKept: (label) => label === 'status',
  isAnnotationKept: (key) => key.startsWith('belay.dev/'),
  ownedField: 'f:data',
});

const record = {
  metadata: {
    name: 'ein "Name" mit } ] , \\ und ü',
    uid: 'u1',
    labels: { a: 'b', status: 'deployed', c: 'd' },
    annotations: { 'x/y': '}]"', 'belay.dev/freeze': 'black friday', z: '' },
    finalizers: ['a', 'b'],
    ownerReferences: [{ kind: 'x', name: 'y' }],
    managedFields: [
      {
        manager: 'Helm',
        time: '2026-01-01T00:00:00Z',
        fieldsV1: { 'f:data': { '.': {}, 'f:release': {} }, 'f:type': {} },
      },
      { manager: 'kubectl', time: '2026-01-02T00:00:00Z', fieldsV1: { 'f:metadata': { 'f:annotations': {} } } },
    ],
  },
};

const keptRecord = {
  metadata: {
    name: 'ein "Name" mit } ] , \\ und ü',
    uid: 'u1',
    labels: { status: 'deployed' },
    annotations: { 'belay.dev/freeze': 'black friday' },
    managedFields: [
      { time: '2026-01-01T00:00:00Z', fieldsV1: { 'f:data': {} } },
      { time: '2026-01-02T00:00:00Z', fieldsV1: {} },
    ],
  },
};

describe('a list', () => {
  for (const [what, space] of [
    ['as the API server writes it', undefined],
    ['with white space', 2],
  ] as const)
    for (const pieceBytes of [1, 7, 10_000])
      test(`${what} is read item by item, in pieces of ${pieceBytes} bytes, and keeps its own metadata`, () => {
        const list = {
          kind: 'PartialObjectMetadataList',
          metadata: { resourceVersion: '7', continue: 'more' },
          items: [record, {}, { metadata: null }, record],
        };
        const { handedOut, rest } = prune(listShape(RECORD), JSON.stringify(list, null, space), pieceBytes);
        assert.deepEqual(handedOut, [keptRecord, {}, { metadata: null }, keptRecord]);
        assert.deepEqual(JSON.parse(rest), { ...list, items: [] });
      });

  test('without items is one', () => {
    for (const items of [null, []]) {
      const { handedOut, rest } = prune(listShape('all'), JSON.stringify({ items }));
      assert.deepEqual([handedOut, JSON.parse(rest)], [[], { items }]);
    }
  });

  test('that broke off is no list', () => {
    const text = JSON.stringify({ items: [record] });
    assert.throws(() => JSON.parse(prune(listShape('all'), text.slice(0, -1)).rest));
  });
});

test('the events of a watch are read one by one', () => {
  const events = [
    { type: 'ADDED', object: record },
    { type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } },
    { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9', annotations: { a: 'b' } } } },
  ];
  const { handedOut } = prune(watchShape(RECORD), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  assert.deepEqual(handedOut, [
    { type: 'ADDED', object: keptRecord },
    events[1],
    { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9', annotations: {} } } },
  ]);
});

test('a key that is written with escapes is that key', () => {
  const text = '{"items":[{"metadata":{"n\\u0061me":"a","\\u0066inalizers":["x"]}}]}';
  assert.deepEqual(prune(listShape(RECORD), text).handedOut, [{ metadata: { name: 'a' } }]);
});

test('of any JSON all is kept that is to be kept, whatever the pieces', () => {
  fc.assert(
    fc.property(
      fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
      fc.integer({ min: 1, max: 50 }),
      (items, pieceBytes) => {
        const { handedOut, rest } = prune(listShape('all'), JSON.stringify({ a: 1, items, z: [items] }), pieceBytes);
        assert.deepEqual(handedOut, JSON.parse(JSON.stringify(items)));
        assert.deepEqual(JSON.parse(rest), JSON.parse(JSON.stringify({ a: 1, items: [], z: [items] })));
      },
    ),
  );
});

test('of any JSON the members without a shape are left out, and no others', () => {
  const keys = fc.constantFrom('a', 'b', 'c"', 'd\\', 'é');
  const isKept = (key: string): boolean => key === 'b' || key === 'd\\';
  const shape: Shape = (key) => (isKept(key) ? 'all' : undefined);
  fc.assert(
    fc.property(fc.array(fc.dictionary(keys, fc.jsonValue())), fc.integer({ min: 1, max: 50 }), (items, pieceBytes) => {
      const wanted = items.map((item) => Object.fromEntries(Object.entries(item).filter(([key]) => isKept(key))));
      assert.deepEqual(
        prune(listShape(shape), JSON.stringify({ items }), pieceBytes).handedOut,
        JSON.parse(JSON.stringify(wanted)),
      );
    }),
  );
});

test('an object that keeps more than etcd could have stored is given up', () => {
  const pruner = createPruner(listShape('all'), () => undefined);
  pruner.push(Buffer.from('{"items":[{"a":"'));
  assert.throws(() => {
    for (let mib = 0; mib < 20; mib += 1) pruner.push(Buffer.alloc(1024 * 1024, 'x'));
  }, /too large/);
});
