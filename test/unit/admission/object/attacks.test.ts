import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Outcome, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** The straight ways around the guard of a release's objects. Some of them are tried with real kubectl as well (test/cluster/attacks.test.ts). */

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const RELEASE_NAME = 'meta.helm.sh/release-name';
const RELEASE_NAMESPACE = 'meta.helm.sh/release-namespace';

type Attack = readonly [title: string, attempt: (dev: Person) => Promise<Outcome>];

const container = (more: object) => ({ spec: { template: { spec: { containers: [{ name: 'web', ...more }] } } } });
const strategic = (dev: Person, body: object, query = {}): Promise<Outcome> =>
  dev.request({
    method: 'PATCH',
    path: '/apis/apps/v1/namespaces/shop/deployments/web',
    query,
    contentType: 'application/strategic-merge-patch+json',
    body,
  });
const strip = (...keys: readonly string[]) => ({
  metadata: {
    ...(keys.includes(MANAGED_BY) && { labels: { [MANAGED_BY]: null } }),
    annotations: Object.fromEntries(keys.filter((key) => key !== MANAGED_BY).map((key) => [key, null])),
  },
});
const marks = [MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE];
const configMap = (patch: object) => (dev: Person) => dev.patch('configmap/web', patch);
const deleteDeployment = (body: object) => (dev: Person) =>
  dev.request({ method: 'DELETE', path: '/apis/apps/v1/namespaces/shop/deployments/web', body });

const ATTACKS: readonly Attack[] = [
  [
    'another image, with the field manager of Helm',
    (dev) => strategic(dev, container({ image: 'evil' }), { fieldManager: 'helm' }),
  ],
  [
    'another image, with the field manager Helm',
    (dev) => strategic(dev, container({ image: 'evil' }), { fieldManager: 'Helm' }),
  ],
  [
    'another image by a JSON patch',
    (dev) =>
      dev.patch('deployment/web', [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'evil' }]),
  ],
  [
    'an added container',
    (dev) => strategic(dev, { spec: { template: { spec: { containers: [{ name: 'evil', image: 'evil' }] } } } }),
  ],
  [
    'a variable that the chart does not set',
    (dev) => strategic(dev, container({ env: [{ name: 'EVIL', value: '1' }] })),
  ],
  ['a pause', (dev) => dev.patch('deployment/web', { spec: { paused: true } })],
  [
    'an undo of the rollout to no revision',
    (dev) => dev.patch('deployment/web', { spec: { template: { metadata: { labels: { app: 'web', evil: '1' } } } } }),
  ],
  ['scaling', (dev) => dev.scale('deployment/web', 9)],
  [
    'scaling with the field manager of Helm',
    (dev) =>
      dev.request({
        method: 'PATCH',
        path: '/apis/apps/v1/namespaces/shop/deployments/web/scale',
        query: { fieldManager: 'helm' },
        contentType: 'application/merge-patch+json',
        body: { spec: { replicas: 0 } },
      }),
  ],
  [
    'managedFields erased, and a change at once',
    configMap({ metadata: { managedFields: [{}] }, data: { GREETING: 'evil' } }),
  ],
  [
    'an owner by which it would be garbage collected',
    configMap({ metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid: 'none' }] } }),
  ],
  ['an immutable ConfigMap', configMap({ immutable: true })],
  ['the label stripped', configMap(strip(MANAGED_BY))],
  ['the label overwritten', configMap({ metadata: { labels: { [MANAGED_BY]: 'me' } } })],
  ['the annotation of the name stripped', configMap(strip(RELEASE_NAME))],
  ['the annotation of the namespace stripped', configMap(strip(RELEASE_NAMESPACE))],
  ['the annotation of the name overwritten', configMap({ metadata: { annotations: { [RELEASE_NAME]: 'other' } } })],
  [
    'the annotation of the namespace overwritten',
    configMap({ metadata: { annotations: { [RELEASE_NAMESPACE]: 'other' } } }),
  ],
  ['all three marks stripped', configMap(strip(...marks))],
  ['all three marks stripped, and a change at once', configMap({ ...strip(...marks), data: { GREETING: 'evil' } })],
  ['a delete', (dev) => dev.delete('deployment/web')],
  ['a delete at once', deleteDeployment({ gracePeriodSeconds: 0 })],
  ['a delete that orphans', deleteDeployment({ propagationPolicy: 'Orphan' })],
  ['a delete in the foreground', deleteDeployment({ propagationPolicy: 'Foreground' })],
  ['a deletecollection', (dev) => dev.deleteAll('deployment')],
  ['a deletecollection by selector', (dev) => dev.deleteAll('configmap', `${MANAGED_BY}=Helm`)],
];

/** The ConfigMap with another greeting, as somebody would write it into a file. */
const edited = async (dev: Person): Promise<KubernetesObject> => {
  const { metadata = {}, ...object } = await dev.get('configmap/web');
  const { resourceVersion: _version, uid: _uid, managedFields: _fields, ...kept } = metadata;
  return { ...object, metadata: kept, data: { GREETING: 'evil' } };
};

const BY_FILE: readonly Attack[] = [
  ['replace', async (dev) => dev.replace(await edited(dev))],
  ['server-side apply with force', async (dev) => dev.apply(await edited(dev), { force: 'true' })],
  [
    'server-side apply with force, as helm',
    async (dev) => dev.apply(await edited(dev), { force: 'true', fieldManager: 'helm' }),
  ],
  [
    'replace without any mark',
    async (dev) => {
      const { metadata: { labels: _labels, annotations: _annotations, ...metadata } = {}, ...object } =
        await edited(dev);
      return dev.replace({ ...object, metadata });
    },
  ],
];

for (const version of ['helm3', 'helm4'] as const) {
  describe(`the objects of a release of ${version}`, () => {
    let plane: MemoryPlane;
    let dev: Person;

    before(async () => {
      plane = await memoryPlane();
      dev = plane.as('dev');
      const ci = plane.as('ci');
      succeeds(await (version === 'helm3' ? ci.helm3 : ci.helm).install('web'));
    });
    after(() => plane.stop());

    for (const [title, attempt] of [...ATTACKS, ...BY_FILE]) {
      test(title, async () => {
        isDenied(await untouched(plane, () => attempt(dev)), 'BelayDrift');
      });
    }

    test('managedFields erased first, then a change', async () => {
      await dev.patch('deployment/web', { metadata: { managedFields: [{}] } });
      isDenied(
        await untouched(plane, () => strategic(dev, container({ image: 'evil' }))),
        'BelayDrift',
        /containers\[web\]\.image: "nginx:1\.27" -> "evil"/,
      );
    });

    test('the everyday writes of running a service pass', async () => {
      const restartedAt = { 'kubectl.kubernetes.io/restartedAt': '2026-11-21T12:00:00Z' };
      const template = { spec: { template: { metadata: { annotations: restartedAt } } } };
      succeeds(await dev.patch('deployment/web', template));
      succeeds(await dev.patch('deployment/web', { metadata: { labels: { team: 'shop' } } }));
      succeeds(await dev.annotate('deployment/web', { note: 'hello' }));
      succeeds(await dev.patch('configmap/web', { data: { GREETING: 'hello' } }));
    });

    test('a dry run says what would be refused, and leaves no trace', async () => {
      const query = { dryRun: 'All' };
      for (const dry of [
        () => strategic(dev, container({ image: 'evil' }), query),
        () => dev.delete('service/web', query),
      ]) {
        const outcome = await untouched(plane, dry);
        succeeds(outcome);
        assert.match(outcome.said, /only a dry run: without it, Belay refuses this:\n.*refused: .*\[BelayDrift\]/);
      }
    });

    test('an object that only claims to belong to a release is everybody’s', async () => {
      const stray = (name: string, release: string, value: string): KubernetesObject => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name,
          labels: { [MANAGED_BY]: 'Helm' },
          annotations: { [RELEASE_NAME]: release, [RELEASE_NAMESPACE]: 'shop' },
        },
        data: { value },
      });
      for (const release of ['web', 'nowhere']) {
        succeeds(await dev.create(stray(`stray-${release}`, release, 'a')));
        succeeds(await dev.replace(stray(`stray-${release}`, release, 'b')));
        succeeds(await dev.delete(`configmap/stray-${release}`));
      }
      // A governed object is not set free by the marks of another release.
      isDenied(await untouched(plane, () => dev.replace(stray('web', 'nowhere', 'a'))), 'BelayDrift');
    });

    test('an object that was removed behind Belay is created anew by its chart alone', async () => {
      const { metadata: { resourceVersion: _version, uid: _uid, ...metadata } = {}, ...service } =
        await dev.get('service/web');
      const collector = plane.as('system:kube-controller-manager', 'none');
      succeeds(await collector.delete('service/web'));
      const evil = { ...service, metadata, spec: { ports: [{ port: 81 }] } };
      isDenied(await untouched(plane, () => dev.create(evil)), 'BelayDrift', /creation of Service web/);
      succeeds(await plane.helm.upgrade('web'));
      assert.ok(await dev.get('service/web'));
    });
  });
}
