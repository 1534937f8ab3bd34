import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** Who owns a field decides whether the next upgrade by Helm 4 works. What the API server takes is in test/cluster/attacks.test.ts. */

const deployment = (more: object): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  ...more,
});
const REPLICAS = deployment({ spec: { replicas: 2 } });
const apply = (who: Person, object: KubernetesObject, fieldManager = 'me') =>
  who.apply(object, { fieldManager, force: 'true' });

describe('the values of the chart, applied by somebody else,', () => {
  let shop: MemoryPlane;
  let dev: Person;
  let robot: Person;

  before(async () => {
    shop = await memoryPlane();
    dev = shop.as('dev');
    robot = shop.as('system:serviceaccount:shop:robot');
    succeeds(await shop.helm.install('web', { replicas: 2 }));
  });
  after(() => shop.stop());

  test('are refused to people and to service accounts, with the fields and their owners', async () => {
    for (const who of [dev, robot]) {
      const refused = await untouched(shop, () => apply(who, REPLICAS));
      isDenied(refused, 'BelayDrift', /metadata\.managedFields/, /spec\.replicas: helm -> helm and me/);
    }
  });

  test('are refused as a whole object too, and as a Secret or ConfigMap', async () => {
    const { metadata: { labels = {} } = {}, spec } = await dev.get('deployment/web');
    isDenied(
      await untouched(shop, () => apply(dev, deployment({ metadata: { name: 'web', labels }, spec }))),
      'BelayDrift',
    );
    const { data } = await dev.get('configmap/web');
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data };
    isDenied(await untouched(shop, () => apply(robot, configMap)), 'BelayDrift');
  });

  test('are refused on a frozen release as any other change is', async () => {
    await shop.freeze('web');
    isDenied(await untouched(shop, () => apply(robot, REPLICAS)), 'BelayFrozen');
    succeeds(await shop.admin.annotate('secret/sh.helm.release.v1.web.v1', { 'belay.dev/freeze': null }));
  });

  test('may be applied with what the chart does not set alone, and the next upgrade works', async () => {
    const note = { metadata: { name: 'web', annotations: { note: 'mine' } } };
    succeeds(await apply(dev, deployment(note)));
    succeeds(await apply(robot, deployment({ ...note, spec: { minReadySeconds: 5 } }), 'robot'));
    succeeds(await shop.helm.upgrade('web', { replicas: 3 }));
  });

  test('pass where a policy leaves the fields, or all ownership, to others', async () => {
    const ignore = (paths: readonly string[]) => ({
      drift: { ignore: [{ group: 'apps', kind: 'Deployment', name: '*', paths }] },
    });
    for (const path of ['/spec/replicas', '/metadata/managedFields']) {
      await shop.policy(ignore([path]));
      succeeds(await apply(dev, deployment({ spec: { replicas: 3 } }), `by-${path.length}`));
    }
    await shop.policy(null);
  });
});

test('a release of Helm 3, which looks at no owners, is applied to by others, and upgraded', async () => {
  const shop = await memoryPlane();
  const ci = shop.as('ci');
  succeeds(await ci.helm3.install('web', { replicas: 2 }));
  succeeds(await apply(shop.as('dev'), REPLICAS));
  succeeds(await ci.helm3.upgrade('web', { replicas: 3 }));
  await shop.stop();
});

test('whoever brings a value of the chart back is told that the next upgrade conflicts with them', async () => {
  const shop = await memoryPlane();
  const dev = shop.as('dev');
  succeeds(await shop.helm.install('web', { replicas: 2 }));
  shop.unguard();
  succeeds(await dev.patch('deployment/web', { spec: { replicas: 5 } }));
  shop.guard();
  const restored = await dev.patch('deployment/web', { spec: { replicas: 2 } }, { fieldManager: 'kubectl-patch' });
  succeeds(restored);
  assert.match(
    restored.said,
    /spec\.replicas has the chart's value again, and belongs to kubectl-patch \(by update\) now/,
  );
  assert.match(restored.said, /helm upgrade web <chart> -n shop \.\.\. --force-conflicts/);
  assert.ok(!(await shop.helm.upgrade('web', { replicas: 3 })).ok, 'the warning was right');
  await shop.stop();
});

test('whoever scales back to the number of the chart is told the same', async () => {
  const shop = await memoryPlane();
  const dev = shop.as('dev');
  succeeds(await shop.helm.install('web', { replicas: 2 }));
  shop.unguard();
  succeeds(await dev.scale('deployment/web', 5));
  shop.guard();
  const restored = await dev.scale('deployment/web', 2);
  succeeds(restored);
  assert.match(restored.said, /belongs to dev \(by scale\) now/);
  await shop.stop();
});
