import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveFacts } from '../../../src/facts/live-facts.ts';
import type { PayloadNamespaces } from '../../../src/facts/payload-namespaces.ts';
import { RecordStore } from '../../../src/facts/record-store.ts';
import type { ReleaseIndex } from '../../../src/facts/release-index.ts';
import { createReleaseStores } from '../../../src/facts/release-stores.ts';
import type { ReleaseName } from '../../../src/helm/names.ts';
import { keyOf } from '../../../src/helm/names.ts';
import { type HelmStatus, type ReleaseRecord, recordName } from '../../../src/helm/record.ts';
import { DEFAULT_INTERVALS } from '../../../src/intervals/intervals.ts';

/** Release `web`, whose records are in this namespace. */
const stored = (
  namespace: string,
  revision: number,
  status: HelmStatus = 'deployed',
  more: Partial<ReleaseRecord> = {},
): ReleaseRecord => ({
  kind: 'Secret',
  namespace,
  name: recordName('web', revision),
  uid: `${namespace}-${revision}`,
  resourceVersion: '1',
  release: 'web',
  revision,
  status,
  locks: undefined,
  createdAtMs: 0,
  updatedAtMs: 0,
  ...more,
});

/** A cluster in memory: records, and the namespaces that their payloads name once they have been read. */
const createCluster = () => {
  let changed: (release: ReleaseName) => void = () => undefined;
  const records = new RecordStore((release) => changed(release));
  const payloads = new Map<string, string>();
  const read: string[] = [];
  const known = new Map<string, string>();
  const cluster = { synced: true, nowMs: 0, failing: false, slow: undefined as Promise<void> | undefined };
  const index = {
    facts: (release: ReleaseName) => ({ records: records.of(keyOf(release)), claim: undefined }),
    namespacesOf: (name: string) => records.namespacesOf(name),
    isElsewhere: (release: ReleaseName) => records.isElsewhere(release),
    onChange: (listener: (release: ReleaseName) => void) => {
      changed = listener;
    },
    isSynced: () => cluster.synced,
  } as unknown as ReleaseIndex;
  const live = {
    recordsNamed: async (name: string) =>
      [...records.namespacesOf(name)].flatMap((namespace) => records.of(keyOf({ namespace, name }))),
  } as unknown as LiveFacts;
  const namespaces: PayloadNamespaces = {
    known: ({ uid }) => known.get(uid),
    read: async ({ uid }) => {
      read.push(uid);
      await cluster.slow;
      if (cluster.failing) throw new Error('the API server does not answer');
      const namespace = payloads.get(uid);
      if (namespace !== undefined) known.set(uid, namespace);
      return namespace;
    },
  };
  const stores = createReleaseStores(index, live, namespaces, () => cluster.nowMs, DEFAULT_INTERVALS.stores);
  const show = (found: readonly ReleaseName[]): string => found.map(({ namespace }) => namespace).join(' ');
  return {
    cluster,
    read,
    remove: (record: ReleaseRecord): void => records.remove(record),
    store: (record: ReleaseRecord, objectsIn: string | undefined = record.namespace): void => {
      if (objectsIn !== undefined) payloads.set(record.uid, objectsIn);
      records.upsert(record);
    },
    /** The namespaces of the records that may govern the objects of `web` in `namespace`. */
    of: (namespace: string): string | Promise<string> => {
      const found = stores.of({ namespace, name: 'web' }, AbortSignal.timeout(10_000));
      return found instanceof Promise ? found.then(show) : show(found);
    },
  };
};

describe('the records that govern an object', () => {
  test('are beside it, and nothing is read where its name is in no other namespace', () => {
    const { of, store, read } = createCluster();
    assert.equal(of('shop'), 'shop');
    store(stored('shop', 1));
    assert.equal(of('shop'), 'shop');
    assert.deepEqual(read, []);
  });

  test('are found in another namespace, whose payload is read once', async () => {
    const { of, store, read } = createCluster();
    store(stored('flux', 1), 'shop');
    assert.equal(await of('shop'), 'shop flux');
    assert.equal(of('shop'), 'shop flux');
    assert.equal(
      of('flux'),
      'flux',
      'the objects of the release in flux are elsewhere, but its records have their say',
    );
    assert.deepEqual(read, ['flux-1']);
  });

  test('are found although others are stored beside it', async () => {
    const { of, store } = createCluster();
    store(stored('flux', 1), 'shop');
    store(stored('shop', 1));
    assert.equal(await of('shop'), 'shop flux');
  });

  test('are not those of every tenant who uses the same name', async () => {
    const { of, store, read } = createCluster();
    for (let tenant = 0; tenant < 500; tenant += 1) store(stored(`tenant-${tenant}`, 1));
    assert.equal(await of('tenant-7'), 'tenant-7');
    assert.equal(of('tenant-8'), 'tenant-8');
    assert.equal(read.length, 500);
    store(stored('tenant-500', 1));
    assert.equal(await of('tenant-7'), 'tenant-7');
    assert.equal(read.length, 501, 'only the new one is read');
  });

  test('stay known while their next revision is read', async () => {
    const { of, store, read } = createCluster();
    store(stored('flux', 1), 'shop');
    await of('shop');
    store(stored('flux', 2, 'pending-upgrade'), 'shop');
    assert.equal(of('shop'), 'shop flux');
    store(stored('flux', 1, 'superseded'), 'shop');
    store(stored('flux', 2), 'shop');
    assert.equal(of('shop'), 'shop flux');
    await sleep(0);
    assert.equal(of('shop'), 'shop flux');
    assert.deepEqual(read, ['flux-1', 'flux-2']);
  });

  test('are forgotten with the last of them', async () => {
    const { of, store, remove } = createCluster();
    store(stored('flux', 1), 'shop');
    await of('shop');
    remove(stored('flux', 1));
    assert.equal(of('shop'), 'shop');
    store(stored('flux', 1, 'deployed', { uid: 'anew' }), 'flux');
    assert.equal(await of('shop'), 'shop');
  });

  test('are found in ConfigMaps as well, and for a revision that is deployed below a failed upgrade', async () => {
    const { of, store } = createCluster();
    store(stored('maps', 1, 'deployed', { kind: 'ConfigMap' }), 'shop');
    store(stored('flux', 1), 'shop');
    store(stored('flux', 2, 'failed'), 'elsewhere');
    assert.equal(await of('shop'), 'shop maps flux');
    assert.equal(await of('elsewhere'), 'elsewhere flux');
  });

  test('are waited for, but not for ever', async () => {
    const { of, store, cluster, read } = createCluster();
    let arrive = (): void => undefined;
    cluster.slow = new Promise((resolve) => {
      arrive = resolve;
    });
    store(stored('flux', 1), 'shop');
    const first = of('shop');
    assert.ok(first instanceof Promise);
    cluster.nowMs = 1_500;
    assert.equal(of('shop'), 'shop', 'whoever comes later does not wait again');
    assert.equal(await first, 'shop');
    arrive();
    await sleep(0);
    assert.equal(of('shop'), 'shop flux');
    assert.deepEqual(read, ['flux-1']);
  });

  test('that cannot be read are tried again after a while', async () => {
    const { of, store, cluster, read } = createCluster();
    cluster.failing = true;
    store(stored('flux', 1), 'shop');
    assert.equal(await of('shop'), 'shop');
    cluster.failing = false;
    assert.equal(of('shop'), 'shop');
    assert.equal(read.length, 1);
    cluster.nowMs = 10_000;
    assert.equal(await of('shop'), 'shop flux');
  });

  test('are asked of the API server while the index is not complete', async () => {
    const { of, store, cluster } = createCluster();
    store(stored('flux', 1), 'shop');
    store(stored('other', 1));
    cluster.synced = false;
    assert.equal(await of('shop'), 'shop flux');
    cluster.failing = true;
    store(stored('late', 1), 'shop');
    await assert.rejects(async () => of('shop'), /does not answer/);
  });
});

test('records are found by the name of their release in every namespace, until the last of them goes', () => {
  const changes: string[] = [];
  const records = new RecordStore((release) => changes.push(keyOf(release)));
  const web = { namespace: 'a', name: 'web' };
  records.upsert(stored('a', 1));
  assert.equal(records.isElsewhere(web), false);
  assert.equal(records.isElsewhere({ ...web, namespace: 'b' }), true);
  records.upsert(stored('b', 1));
  records.upsert(stored('b', 2));
  assert.deepEqual([...records.namespacesOf('web')], ['a', 'b']);
  assert.deepEqual([...records.releases()], [web, { ...web, namespace: 'b' }]);
  assert.equal(records.count, 3);
  records.replaceKind('Secret', [stored('b', 2)]);
  assert.deepEqual([...records.namespacesOf('web')], ['b']);
  assert.equal(records.count, 1);
  records.remove(stored('b', 2));
  assert.deepEqual([...records.namespacesOf('web')], []);
  assert.equal(records.count, 0);
  assert.deepEqual(new Set(changes), new Set(['a/web', 'b/web']));
});
