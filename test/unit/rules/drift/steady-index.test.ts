import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asInstalled, edit, type Json, paths } from './fixtures.ts';

const POD = '/spec/template/spec';
const item = (name: string): Json => ({ name, image: `${name}:1` });
const [a, b, extra] = [item('a'), item('b'), item('extra')];
const chart: Json = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { template: { spec: { containers: [a, b] } } },
};
const live = (containers: readonly Json[]) => edit(asInstalled(chart), [`${POD}/containers`, containers]);
const evil = (harmless: Json): Json => ({ ...harmless, image: 'evil' });

describe('an ignored path with an index means one item of a list', () => {
  const cases: readonly (readonly [what: string, ignore: string, from: Json[], to: Json[], isDrift: boolean])[] = [
    ['that item is changed', '0/image', [a, b], [evil(a), b], false],
    ['another item is changed', '0/image', [a, b], [a, evil(b)], true],
    ['another item comes to its place and is changed', '0/image', [a, b], [evil(b), a], true],
    ['another item has come to its place before', '0/image', [b, a], [evil(b), a], true],
    ['an item is put before it, which is not in the chart', '0', [a, b], [extra, a, b], true],
    ['it is removed, so that the next one comes to its place', '0', [a, b], [b], true],
    ['an injected item behind those of the chart is changed', '2/image', [a, b, extra], [a, b, evil(extra)], false],
    ['an injected item stands at the place of one of the chart', '0/image', [extra, a, b], [evil(extra), a, b], true],
    ['any item is meant, and one is put before it', '*', [a, b], [extra, a, b], false],
    ['any item is meant, and one is changed', '*/image', [a, b], [a, evil(b)], false],
  ];
  for (const [what, pointer, from, to, isDrift] of cases) {
    test(`${isDrift ? 'drift' : 'no drift'}: ${what}`, () => {
      const drifted = paths('user', chart, live(from), live(to), { ignore: [`${POD}/containers/${pointer}`] });
      assert.equal(drifted.length > 0, isDrift, String(drifted));
    });
  }

  test('a service account, which may reorder, gets no further', () => {
    const ignore = [`${POD}/containers/0/image`];
    assert.deepEqual(paths('serviceAccount', chart, live([a, b]), live([b, a]), { ignore }), []);
    assert.equal(paths('serviceAccount', chart, live([b, a]), live([evil(b), a]), { ignore }).length, 1);
    assert.equal(paths('serviceAccount', chart, live([a, b]), live([evil(b), a]), { ignore }).length, 1);
  });
});

describe('text that looks like a quantity is text', () => {
  const widget = (spec: Json): Json => ({
    apiVersion: 'x.example/v1',
    kind: 'Widget',
    metadata: { name: 'web' },
    spec,
  });
  const cases: readonly (readonly [from: Json, to: Json, isDrift: boolean])[] = [
    [{ version: '1.10' }, { version: '1.1' }, true],
    [{ default: { version: '1.10' } }, { default: { version: '1.1' } }, true],
    [{ limits: { version: '1.10' } }, { limits: { version: '1.1' } }, true],
    [{ target: { value: '1.10' } }, { target: { value: '1.1' } }, true],
    [{ averageValue: '1e3' }, { averageValue: '1k' }, true],
    [{ resources: { limits: { cpu: '1000m' } } }, { resources: { limits: { cpu: '1' } } }, false],
    [{ resources: { limits: { 'nvidia.com/gpu': '1' } } }, { resources: { limits: { 'nvidia.com/gpu': 1 } } }, false],
    [{ requests: { 'ephemeral-storage': '1Gi' } }, { requests: { 'ephemeral-storage': '1024Mi' } }, false],
  ];
  for (const [from, to, isDrift] of cases) {
    test(`${JSON.stringify(from)} to ${JSON.stringify(to)} in a custom resource`, () => {
      const [before, after] = [asInstalled(widget(from)), asInstalled(widget(to))];
      for (const subject of ['user', 'serviceAccount'] as const)
        assert.equal(paths(subject, widget(from), before, after).length > 0, isDrift);
    });
    test(`${JSON.stringify(to)} brings nothing of ${JSON.stringify(from)} back, unless both are one amount`, () => {
      const lost = asInstalled(widget({}));
      assert.equal(paths('user', widget(from), lost, asInstalled(widget(to))).length > 0, isDrift);
    });
  }
});
