import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deleteHooksIn, eventsIn, isHook, isOfUninstall } from '../../../src/helm/delete-hooks.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const manifestOf = (more = ''): string => `apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: wipe\n${more}`;
const entry = (more: object): object => ({
  name: 'wipe',
  kind: 'Job',
  manifest: manifestOf(),
  events: ['pre-delete'],
  ...more,
});
const read = (...hooks: readonly unknown[]) => deleteHooksIn(hooks, text);
const job = (namespace: string, name = 'wipe') => ({ group: 'batch', kind: 'Job', namespace, name });

describe('the hooks of an uninstall in a record', () => {
  test('are those with an event of an uninstall, with all of their events', () => {
    const found = read(
      entry({}),
      entry({ events: ['post-install', 'post-delete'] }),
      entry({ events: ['pre-upgrade'] }),
    );
    assert.deepEqual(
      found.map(({ events }) => events),
      [['pre-delete'], ['post-install', 'post-delete']],
    );
  });

  test('lie in the namespace that they name, else in that of the release', () => {
    const [here, there] = read(entry({}), entry({ manifest: manifestOf('  namespace: data\n') }));
    assert.ok(here && there);
    assert.deepEqual([isHook(here, job('shop'), 'shop'), isHook(here, job('data'), 'shop')], [true, false]);
    assert.deepEqual([isHook(there, job('shop'), 'shop'), isHook(there, job('data'), 'shop')], [false, true]);
    assert.ok(!isHook(here, job('shop', 'other'), 'shop'));
    assert.ok(!isHook(here, { ...job('shop'), group: '' }, 'shop'));
  });

  test('are told by their kind and name where their manifest takes too long to read', () => {
    const [found] = read(entry({ manifest: manifestOf(`x: [${'a,'.repeat(40_000)}]\n`) }));
    assert.ok(found && isHook(found, job('anywhere'), 'shop'));
  });

  for (const hooks of [undefined, 'x', 7, [null, 'x', 7, []], [{ events: 'pre-delete' }], [entry({ manifest: ':' })]]) {
    test(`are none in ${JSON.stringify(hooks)}`, () => assert.deepEqual(deleteHooksIn(hooks, text), []));
  }

  test('are no more than 500, and hold no long names', () => {
    assert.equal(read(...Array.from({ length: 2_000 }, () => entry({}))).length, 500);
    assert.deepEqual(read(entry({ manifest: manifestOf().replace('wipe', 'w'.repeat(300)) })), []);
  });
});

test('the annotation is read as Helm reads it', () => {
  assert.deepEqual(eventsIn(' Pre-Delete ,post-install,'), ['pre-delete', 'post-install']);
  assert.deepEqual(eventsIn(undefined), []);
  assert.ok(isOfUninstall(eventsIn('POST-DELETE')) && !isOfUninstall(eventsIn('pre-delete-x,test')));
});
