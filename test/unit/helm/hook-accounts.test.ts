import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hookAccountsIn } from '../../../src/helm/hook-accounts.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const entry = (manifest: string, events: unknown = ['pre-upgrade']): object => ({
  name: 'run',
  kind: 'Job',
  manifest,
  events,
});
const pod = (more: string): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: run}\nspec: {${more}}\n`;
const names = (...hooks: readonly unknown[]): readonly string[] => hookAccountsIn(hooks, text).map(({ name }) => name);

describe('the accounts of the hooks in a record', () => {
  test('come with the namespace and the events of their hook', () => {
    const job =
      'apiVersion: batch/v1\nkind: Job\nmetadata: {name: run, namespace: data}\nspec: {template: {spec: {serviceAccountName: runner}}}';
    assert.deepEqual(hookAccountsIn([entry(job, ['pre-upgrade', 'post-delete'])], text), [
      { namespace: 'data', name: 'runner', events: ['pre-upgrade', 'post-delete'] },
    ]);
  });

  test('are those of every document of a hook, and of lists', () => {
    const both = `${pod('serviceAccountName: one')}---\napiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {serviceAccount: two}}]`;
    assert.deepEqual(names(entry(both)), ['one', 'two']);
  });

  test('the newer name of the field wins, as it does for the API server', () => {
    assert.deepEqual(names(entry(pod('serviceAccountName: new, serviceAccount: old'))), ['new']);
    assert.deepEqual(names(entry(pod('serviceAccountName: default, serviceAccount: old'))), []);
  });

  for (const wrong of ['default', '""', '7', '[a]', '{a: b}', 'a:b', '../a', 'A', '"a b"', 'null', 'a'.repeat(254)]) {
    test(`is none in ${wrong.slice(0, 20)}`, () =>
      assert.deepEqual(names(entry(pod(`serviceAccountName: ${wrong}`))), []));
  }

  test('are none in kinds that are not of Kubernetes, and in what is no hook', () => {
    const custom = pod('serviceAccountName: a').replace('v1', 'example.com/v1');
    assert.deepEqual(names(entry(custom), entry(':'), null, 'x', 7, [], { events: ['pre-upgrade'] }), []);
    for (const hooks of [undefined, 'x', 7, {}]) assert.deepEqual(hookAccountsIn(hooks, text), []);
  });

  test('are none of a hook that takes too long to read, and no more than 100', () => {
    const costly = `${pod('serviceAccountName: a')}x: [${'a,'.repeat(40_000)}]\n`;
    assert.deepEqual(names(entry(costly), entry(pod('serviceAccountName: b'))), ['b']);
    const many = Array.from({ length: 2_000 }, (_, index) => entry(pod(`serviceAccountName: a${index}`)));
    assert.equal(names(...many).length, 100);
  });

  test('are read of one MiB of hooks, whatever they hold', () => {
    const long = entry(`# ${'x'.repeat(1024 * 1024)}\n${pod('serviceAccountName: a')}`);
    assert.deepEqual(names(long, entry(pod('serviceAccountName: b'))), []);
  });
});
