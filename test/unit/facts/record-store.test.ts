import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordStore } from '../../../src/facts/record-store.ts';
import type { RecordKind } from '../../../src/helm/names.ts';
import { type ReleaseRecord, recordName } from '../../../src/helm/record.ts';

/** A record with strings of its own, as JSON.parse makes them. */
const recordOf = (release: string, revision: number, more: Partial<ReleaseRecord> = {}): ReleaseRecord => ({
  kind: 'Secret',
  namespace: 'shop',
  name: recordName(release, revision),
  uid: `${release}-${revision}`,
  resourceVersion: '1',
  release,
  revision,
  status: 'superseded',
  locks: undefined,
  createdAtMs: 0,
  updatedAtMs: 0,
  ...more,
});

const createStore = (kept: readonly ReleaseRecord[]) => {
  const changed: string[] = [];
  const store = new RecordStore(({ name }) => changed.push(name));
  for (const record of kept) store.upsert(record);
  changed.length = 0;
  const list = (records: readonly ReleaseRecord[], kind: RecordKind = 'Secret'): void => {
    let last: ReleaseRecord | undefined;
    store.replaceKind(
      kind,
      records.map((record) => {
        last = store.share(record, last);
        return last;
      }),
    );
  };
  const show = (key: string): string =>
    store
      .of(key)
      .map(({ kind, revision, resourceVersion }) => `${kind}/${revision}@${resourceVersion}`)
      .toSorted()
      .join(' ');
  return { store, changed, list, show };
};

test('a list of known records changes nothing, and no listener is called', () => {
  const { store, changed, list } = createStore([recordOf('web', 1), recordOf('web', 2), recordOf('api', 1)]);
  const before = store.of('shop/web');
  list([recordOf('api', 1), recordOf('web', 1), recordOf('web', 2)]);
  assert.deepEqual(changed, []);
  assert.equal(store.of('shop/web'), before);
  assert.equal(store.count, 3);
});

test('a list tells of the releases whose records came, changed, were made anew or went, and of no others', () => {
  const { store, changed, list, show } = createStore([
    recordOf('same', 1),
    recordOf('written', 1),
    recordOf('anew', 1),
    recordOf('pruned', 1),
    recordOf('pruned', 2),
    recordOf('gone', 1),
  ]);
  list([
    recordOf('anew', 1, { uid: 'another' }),
    recordOf('come', 1),
    recordOf('pruned', 2),
    recordOf('same', 1),
    recordOf('written', 1, { resourceVersion: '7' }),
  ]);
  assert.deepEqual(changed.toSorted(), ['anew', 'come', 'gone', 'pruned', 'written']);
  assert.equal(show('shop/written'), 'Secret/1@7');
  assert.equal(show('shop/pruned'), 'Secret/2@1');
  assert.equal(store.of('shop/anew')[0]?.uid, 'another');
  assert.deepEqual(store.of('shop/gone'), []);
  assert.equal(store.count, 5);
});

test('a list of Secrets leaves the ConfigMaps of the same release alone', () => {
  const { changed, list, show } = createStore([recordOf('web', 1), recordOf('web', 2, { kind: 'ConfigMap' })]);
  list([recordOf('web', 3)]);
  assert.equal(show('shop/web'), 'ConfigMap/2@1 Secret/3@1');
  list([]);
  assert.equal(show('shop/web'), 'ConfigMap/2@1');
  assert.deepEqual(changed, ['web', 'web']);
  list([], 'ConfigMap');
  assert.equal(show('shop/web'), '');
});

test('records of releases with similar names are not mixed up', () => {
  const { store, list } = createStore([]);
  const records = [
    recordOf('web', 1),
    recordOf('web', 10),
    recordOf('web', 1, { namespace: 'shop-2', uid: 'x' }),
    recordOf('web-2', 1, { namespace: 'shop-2' }),
  ];
  list(records);
  const kept = [...store.releases()].flatMap(({ namespace, name }) => store.of(`${namespace}/${name}`));
  assert.deepEqual(kept, records);
});
