import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRecordName, toRecord } from '../../../src/helm/record.ts';

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

describe('the newest sign of life of a record', () => {
  const base = { name: 'sh.helm.release.v1.web.v1', creationTimestamp: '2026-11-21T12:00:00Z' };
  const helm = (time: string) => ({ manager: 'Helm', time, fieldsV1: { 'f:data': {}, 'f:metadata': {} } });
  const cases = [
    { name: 'its creation', metadata: base, expect: '2026-11-21T12:00:00.000Z' },
    {
      name: 'a write of Helm',
      metadata: { ...base, managedFields: [helm('2026-11-21T12:01:00Z')] },
      expect: '2026-11-21T12:01:00.000Z',
    },
    {
      name: 'not an annotation by a person',
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
      name: 'not a label that is no time',
      metadata: { ...base, labels: { modifiedAt: 'soon' } },
      expect: '2026-11-21T12:00:00.000Z',
    },
  ];
  for (const { name, metadata, expect } of cases) {
    test(name, () => assert.equal(new Date(toRecord('Secret', metadata)?.updatedAtMs ?? 0).toISOString(), expect));
  }
});
