import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import { toManifest, withMarks } from '../../memory/chart.ts';
import type { Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';
import { toRecordObject } from '../../memory/record.ts';

/** Namespaces and policies that a chart holds, and namespaces that hold objects of releases whose records lie elsewhere. */

let plane: MemoryPlane;
let dev: Person;

const namespace = (name: string): KubernetesObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const configMap = (name: string, place?: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...(place !== undefined && { namespace: place }) },
  data: { greeting: 'hello' },
});
const policy: KubernetesObject = {
  apiVersion: 'belay.dev/v1alpha1',
  kind: 'ReleasePolicy',
  metadata: { name: 'ours' },
  spec: { versions: { downgrade: 'Deny' } },
};

interface Stored {
  readonly manifest: readonly KubernetesObject[];
  /** The objects that exist with the marks of the release. By default all that the manifest lists. */
  readonly created?: readonly KubernetesObject[];
  readonly revision?: number;
  readonly status?: string;
  /** The namespace of its records, where its objects live in another one. */
  readonly records?: string;
  readonly home?: string;
}

/** Stores a release as Helm leaves it, while Belay is away. */
const store = async (release: string, stored: Stored): Promise<void> => {
  const { manifest, created = manifest, revision = 1, status = 'deployed', home = 'shop', records = home } = stored;
  plane.unguard();
  for (const object of created) {
    const marked = withMarks(object, release, home);
    const place = object.metadata?.namespace ?? home;
    const isNamespaced = object.kind === 'ConfigMap';
    const { namespace: _namespace, ...metadata } = marked.metadata ?? {};
    succeeds(
      await plane.admin.apply({ ...marked, metadata: { ...metadata, ...(isNamespaced && { namespace: place }) } }),
    );
  }
  const time = plane.clock.time();
  const payload = {
    name: release,
    namespace: home,
    version: revision,
    info: { first_deployed: time, last_deployed: time, status },
    chart: { metadata: { name: 'shop', version: '1.4.0' }, templates: [], values: {} },
    config: {},
    manifest: toManifest(manifest),
    hooks: [],
  };
  succeeds(await plane.admin.create(toRecordObject(payload, 'Secret', records, {})));
  plane.guard();
};

const freezeRecord = async (release: string, place: string): Promise<void> => {
  const { ok, said } = await plane.admin.request({
    method: 'PATCH',
    path: `/api/v1/namespaces/${place}/secrets/sh.helm.release.v1.${release}.v1`,
    contentType: 'application/merge-patch+json',
    body: { metadata: { annotations: { 'belay.dev/freeze': 'audit week' } } },
  });
  assert.ok(ok, said);
};

beforeEach(async () => {
  plane = await memoryPlane();
  dev = plane.as('dev');
  await plane.inNamespace('data', 'nobody', 'none');
});
afterEach(() => plane.stop());

describe('a Namespace that a chart holds', () => {
  beforeEach(async () => {
    await store('web', { manifest: [namespace('team'), configMap('web')] });
  });

  test('outlives the uninstall of a frozen release that was refused', async () => {
    await plane.freeze('web');
    const { ok, said } = await plane.helm.uninstall('web');
    assert.ok(!ok, said);
    assert.equal((await plane.admin.get('namespace/team')).metadata?.deletionTimestamp, undefined);
    isDenied(await untouched(plane, () => plane.admin.delete('namespace/team')), 'BelayFrozen', /audit week/);
  });

  test('is not deleted while an upgrade of another is in flight', async () => {
    await store('web', { manifest: [namespace('team')], created: [], revision: 2, status: 'pending-upgrade' });
    isDenied(await untouched(plane, () => dev.delete('namespace/team')), 'BelayOperationInFlight');
  });

  test('is not deleted by hand while the release is idle, and keeps what the chart sets on it', async () => {
    isDenied(await untouched(plane, () => plane.admin.delete('namespace/team')), 'BelayDrift');
  });

  test('is still frozen, thawed and labelled by people', async () => {
    succeeds(await plane.admin.annotate('namespace/team', { 'belay.dev/freeze': 'moving house' }));
    succeeds(await plane.admin.annotate('namespace/team', { 'belay.dev/freeze': null }));
    succeeds(await plane.admin.patch('namespace/team', { metadata: { labels: { team: 'shop' } } }));
    isDenied(
      await untouched(plane, () =>
        plane.admin.patch('namespace/team', { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } }),
      ),
      'BelayDrift',
    );
  });

  test('is deleted by the holder of an uninstall', async () => {
    succeeds(await plane.helm.uninstall('web'));
    const left = await plane.admin.get('namespace/team').catch(() => undefined);
    assert.ok(left === undefined || left.metadata?.deletionTimestamp !== undefined);
  });
});

describe('a ReleasePolicy that a chart holds', () => {
  beforeEach(async () => {
    await store('rules', { manifest: [policy] });
  });

  test('is neither changed nor deleted past its frozen release', async () => {
    await plane.freeze('rules');
    isDenied(await untouched(plane, () => plane.admin.delete('policy/ours')), 'BelayFrozen', /audit week/);
    const loosened = { spec: { versions: { downgrade: 'Allow' } } };
    isDenied(await untouched(plane, () => plane.admin.patch('policy/ours', loosened)), 'BelayFrozen', /audit week/);
  });

  test('is still refused where it cannot be read', async () => {
    const unreadable = { spec: { versions: { range: '>=banana' } } };
    const answer = await untouched(plane, () => plane.admin.patch('policy/ours', unreadable));
    assert.ok(!answer.ok, answer.said);
  });
});

describe('a namespace with objects of a release whose records lie in another', () => {
  const says = [/deletion of namespace data/i, /release web in namespace shop/, /audit week/];

  test('is not deleted while that release is frozen, and is deleted afterwards', async () => {
    await store('web', { manifest: [configMap('web'), configMap('settings', 'data')] });
    await plane.freeze('web');
    isDenied(await untouched(plane, () => plane.admin.delete('namespace/data')), 'BelayFrozen', ...says);
    succeeds(await plane.as('sre', 'admin').annotate('secret/sh.helm.release.v1.web.v1', { 'belay.dev/freeze': null }));
    succeeds(await plane.admin.delete('namespace/data'));
  });

  test('is not deleted while a policy freezes that release, and is deleted where the policy only warns', async () => {
    await store('web', { manifest: [configMap('settings', 'data')] });
    await plane.policy({ freeze: { reason: 'audit week' } });
    isDenied(await untouched(plane, () => plane.admin.delete('namespace/data')), 'BelayFrozen', ...says);
    await plane.policy({ freeze: { reason: 'audit week', action: 'Warn' } });
    assert.match(succeeds(await plane.admin.delete('namespace/data')).said, /\[BelayFrozen\]/);
  });

  test('is not deleted while a release is frozen that has all its objects there and only its records elsewhere', async () => {
    await store('web', { manifest: [configMap('web')], home: 'data', records: 'shop' });
    await plane.freeze('web');
    isDenied(await untouched(plane, () => plane.admin.delete('namespace/data')), 'BelayFrozen', ...says);
  });

  test('is not deleted while it is frozen itself', async () => {
    await store('web', { manifest: [configMap('web')], home: 'data', records: 'shop' });
    succeeds(await plane.admin.annotate('namespace/data', { 'belay.dev/freeze': 'audit week' }));
    isDenied(await untouched(plane, () => plane.admin.delete('namespace/data')), 'BelayFrozen', /audit week/);
  });

  test('is deleted where the frozen release only claims to have something there', async () => {
    await store('web', { manifest: [configMap('settings', 'data')], created: [] });
    plane.unguard();
    succeeds(await plane.admin.create(configMap('settings', 'data')));
    plane.guard();
    await freezeRecord('web', 'shop');
    succeeds(await plane.admin.delete('namespace/data'));
  });
});
