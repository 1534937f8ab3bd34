import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSamePayload, parseRecordName, payloadOf, toRecord } from '../../../src/helm/record.ts';

describe('the name of a record', () => {
  const cases = [
    ['sh.helm.release.v1.web.v1', 'web', 1],
    ['sh.helm.release.v1.my.shop.v2.v12', 'my.shop.v2', 12],
    ['sh.helm.release.v1.web.v0', undefined, undefined],
    ['sh.helm.release.v1.web', undefined, undefined],
    ['sh.helm.release.v1.web.v01', undefined, undefined],
    ['sh.helm.release.v1.web.v99999999999', undefined, undefined],
    ['other', undefined, undefined],
  ] as const;
  for (const [name, release, revision] of cases) {
    test(name, () =>
      assert.deepEqual(parseRecordName(name), release === undefined ? undefined : { release, revision }),
    );
  }
});

describe('the time of the last write of a record', () => {
  const base = { name: 'sh.helm.release.v1.web.v1', creationTimestamp: '2026-11-21T12:00:00Z' };
  const helm = (time: string) => ({ manager: 'Helm', time, fieldsV1: { 'f:data': {}, 'f:metadata': {} } });
  const cases = [
    { name: 'its creation', metadata: base, expect: '2026-11-21T12:00:00.000Z' },
    {
      name: 'is that of the last write by Helm',
      metadata: { ...base, managedFields: [helm('2026-11-21T12:01:00Z')] },
      expect: '2026-11-21T12:01:00.000Z',
    },
    {
      name: 'is not that of an annotation by a person',
      metadata: {
        ...base,
        managedFields: [{ manager: 'kubectl-annotate', time: '2026-11-21T12:05:00Z', fieldsV1: { 'f:metadata': {} } }],
      },
      expect: '2026-11-21T12:00:00.000Z',
    },
    {
      name: "Helm's own label",
      metadata: { ...base, labels: { modifiedAt: '1795263000' } },
      expect: '2026-11-21T12:10:00.000Z',
    },
    {
      name: 'ignores managedFields that are no list',
      metadata: { ...base, managedFields: {} as [] },
      expect: '2026-11-21T12:00:00.000Z',
    },
    {
      name: 'ignores an entry of managedFields that is no object',
      metadata: { ...base, managedFields: [null, 7, { time: 'soon', fieldsV1: null }] as unknown as [] },
      expect: '2026-11-21T12:00:00.000Z',
    },
    {
      name: 'ignores a label that is no time',
      metadata: { ...base, labels: { modifiedAt: 'soon' } },
      expect: '2026-11-21T12:00:00.000Z',
    },
  ];
  for (const { name, metadata, expect } of cases) {
    test(name, () => assert.equal(new Date(toRecord('Secret', metadata)?.updatedAtMs ?? 0).toISOString(), expect));
  }
});

describe('a payload', () => {
  const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text));
  const cases = [
    { name: 'text and the same text', left: 'QUJD', right: 'QUJD', same: true },
    { name: 'bytes and the same bytes', left: bytes('QUJD'), right: bytes('QUJD'), same: true },
    { name: 'bytes and their text', left: bytes('QUJD'), right: 'QUJD', same: true },
    { name: 'text and its bytes', left: 'QUJD', right: bytes('QUJD'), same: true },
    { name: 'other bytes', left: bytes('QUJD'), right: bytes('QUJE'), same: false },
    { name: 'bytes and more of them', left: bytes('QUJD'), right: bytes('QUJDQ'), same: false },
    { name: 'bytes and none', left: bytes('QUJD'), right: undefined, same: false },
    { name: 'none at all', left: undefined, right: undefined, same: true },
  ];
  for (const { name, left, right, same } of cases) {
    test(`is compared: ${name}`, () => assert.equal(isSamePayload(left, right), same));
  }

  test('that the decoder has taken cannot be compared, because it would equal any other', () => {
    const taken = bytes('QUJD');
    structuredClone(taken, { transfer: [taken.buffer] });
    for (const [left, right] of [
      [taken, taken],
      [taken, ''],
      ['', taken],
    ] as const) {
      assert.throws(() => isSamePayload(left, right), TypeError);
    }
  });

  test('is missing where the key `release` holds no text', () => {
    for (const release of [undefined, null, 1, {}, { length: 4 }, ['QUJD']]) {
      assert.equal(payloadOf({ data: { release } }), undefined);
    }
    assert.equal(payloadOf({ data: null }), undefined);
    assert.equal(payloadOf(undefined), undefined);
  });
});
