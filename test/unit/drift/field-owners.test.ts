import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { helmManagerOf, lastWriter } from '../../../src/drift/field-owners.ts';
import { live, owned } from './objects.ts';

describe('who wrote a field last', () => {
  const spec = {
    containers: [
      { name: 'a', image: 'x' },
      { name: 'b', image: 'y' },
    ],
    finalizers: ['one', 'two'],
    tolerations: [{ key: 'k' }],
  };
  const object = live('v1', 'Pod', { spec }, [
    owned('first', { 'f:spec': { 'f:containers': { 'k:{"name":"b"}': { '.': {}, 'f:image': {} } } } }),
    owned(
      'later',
      { 'f:spec': { 'f:containers': { 'k:{"name":"b"}': { 'f:image': {} } } } },
      { time: '2026-03-01T00:00:00Z' },
    ),
    owned('set', { 'f:spec': { 'f:finalizers': { 'v:"two"': {} } } }),
    owned('whole', { 'f:spec': { 'f:tolerations': {} } }),
  ]);
  const CASES: readonly (readonly [pointer: string, manager: string | undefined])[] = [
    ['/spec/containers/1/image', 'later'],
    ['/spec/containers/0/image', undefined],
    ['/spec/finalizers/1', 'set'],
    ['/spec/finalizers/0', undefined],
    ['/spec/tolerations/0/key', 'whole'],
    ['/spec/nothing', undefined],
  ];
  for (const [pointer, manager] of CASES)
    test(`${pointer}: ${manager ?? 'nobody'}`, () => assert.equal(lastWriter(object, pointer)?.manager, manager));
});

describe("Helm's name among the managers", () => {
  const marks = { 'f:metadata': { 'f:annotations': { 'f:meta.helm.sh/release-name': {} } } };
  const of = (...entries: ReturnType<typeof owned>[]) => helmManagerOf(live('v1', 'ConfigMap', {}, entries));
  test('is helm', () => assert.equal(of(owned('helm', marks)), 'helm'));
  test('is the name of a program that embeds Helm and applied the marks', () =>
    assert.equal(of(owned('helm-controller', marks, { operation: 'Apply' })), 'helm-controller'));
  test('is never the name of somebody who applied over Helm', () =>
    assert.equal(of(owned('helm', {}), owned('kubectl', marks, { operation: 'Apply' })), 'helm'));
  test('is helm where managedFields is empty', () => assert.equal(of(), 'helm'));
});
