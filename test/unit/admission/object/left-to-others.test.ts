import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Outcome, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** Controllers that change what a chart sets: by rule, by a policy, by a preset. */

let plane: MemoryPlane;
let dev: Person;
let sre: Person;
const account = (name: string): Person => plane.as(`system:serviceaccount:${name}`);
const image = (who: Person): Promise<Outcome> =>
  who.patch('deployment/web', [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'evil' }]);
const replicas = (who: Person, count: number): Promise<Outcome> =>
  who.patch('deployment/web', { spec: { replicas: count } });
const RECORD = 'secret/sh.helm.release.v1.web.v1';
const KEDA = { kind: 'ServiceAccount', namespace: 'keda', name: 'keda-operator' };
const unfreeze = () => sre.annotate(RECORD, { 'belay.dev/freeze': null });

beforeEach(async () => {
  plane = await memoryPlane();
  dev = plane.as('dev');
  sre = plane.as('sre', 'admin');
  succeeds(await plane.helm.install('web'));
});
afterEach(() => plane.stop());

describe('users of the cluster', () => {
  test('GKE’s autoscaler scales, also what the chart sets and what is frozen, and changes nothing else', async () => {
    const gke = plane.as('system:vpa-recommender');
    succeeds(await plane.helm.install('blank', { replicas: null }));
    succeeds(await gke.scale('deployment/blank', 4));
    succeeds(await gke.scale('deployment/web', 4));
    isDenied(await untouched(plane, () => image(gke)), 'BelayDrift');
    isDenied(await untouched(plane, () => gke.delete('service/web')), 'BelayDrift');
    await plane.freeze('web');
    succeeds(await gke.scale('deployment/web', 5));
    isDenied(await untouched(plane, () => image(gke)), 'BelayFrozen');
  });

  test('fill in what the chart leaves out, as service accounts do', async () => {
    for (const name of ['eks:addon-manager', 'system:addon-manager']) {
      const user = plane.as(name);
      succeeds(await user.patch('deployment/web', { spec: { minReadySeconds: name.length } }));
      isDenied(await untouched(plane, () => image(user)), 'BelayDrift');
    }
  });

  test('are not those that people go by', async () => {
    for (const name of ['system:admin', 'system:anonymous', 'system', 'eks'])
      isDenied(
        await untouched(plane, () => plane.as(name).patch('deployment/web', { spec: { minReadySeconds: 9 } })),
        'BelayDrift',
      );
    isDenied(await untouched(plane, () => plane.as('system:admin').scale('deployment/web', 9)), 'BelayDrift');
  });
});

describe('a workload that an autoscaler targets', () => {
  const autoscaler = (kind: string, name: string, namespace = 'shop') => ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: `for-${name}`, namespace },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind, name }, minReplicas: 1, maxReplicas: 9 },
  });

  test('is scaled by controllers although the chart sets its replicas, and by no person', async () => {
    const robot = account('shop:robot');
    isDenied(await untouched(plane, () => robot.scale('deployment/web', 4)), 'BelayDrift');
    succeeds(await plane.admin.create(autoscaler('Deployment', 'web')));
    succeeds(await robot.scale('deployment/web', 4));
    succeeds(await replicas(robot, 5));
    isDenied(await untouched(plane, () => image(robot)), 'BelayDrift');
    isDenied(await untouched(plane, () => dev.scale('deployment/web', 6)), 'BelayDrift');
    isDenied(await untouched(plane, () => replicas(dev, 6)), 'BelayDrift');
    await plane.policy({ drift: { serviceAccounts: 'AllFields' } });
    isDenied(await untouched(plane, () => robot.scale('deployment/web', 6)), 'BelayDrift');
  });

  test('is not scaled past a freeze by whoever sets an autoscaler', async () => {
    await plane.freeze('web');
    succeeds(await dev.create(autoscaler('Deployment', 'web')));
    for (const who of [dev, account('shop:robot')])
      isDenied(await untouched(plane, () => who.scale('deployment/web', 0)), 'BelayFrozen');
  });

  test('is the one of that kind and name in that namespace', async () => {
    await plane.inNamespace('other', 'bob');
    succeeds(await plane.admin.create(autoscaler('StatefulSet', 'web')));
    succeeds(await plane.admin.create(autoscaler('Deployment', 'web-2')));
    succeeds(await plane.admin.create(autoscaler('Deployment', 'web', 'other')));
    isDenied(await untouched(plane, () => account('shop:robot').scale('deployment/web', 4)), 'BelayDrift');
  });

  test('is as any other where Belay may not list autoscalers', async () => {
    succeeds(await plane.admin.create(autoscaler('Deployment', 'web')));
    plane.server.forbid((_caller, { path, method = 'GET' }) => method === 'GET' && path.includes('autoscalers'));
    isDenied(await untouched(plane, () => account('shop:robot').scale('deployment/web', 4)), 'BelayDrift');
  });
});

describe('fields that a policy leaves to some', () => {
  const allow = (more: object = {}) =>
    plane.policy({ drift: { allow: [{ subjects: [KEDA], kind: 'Deployment', paths: ['/spec/replicas'], ...more }] } });

  test('are theirs, by an update and by scale, and no field beside them', async () => {
    const keda = account('keda:keda-operator');
    isDenied(await untouched(plane, () => keda.scale('deployment/web', 0)), 'BelayDrift');
    await allow();
    succeeds(await keda.scale('deployment/web', 0));
    succeeds(await replicas(keda, 3));
    isDenied(await untouched(plane, () => image(keda)), 'BelayDrift');
    isDenied(await untouched(plane, () => keda.delete('deployment/web')), 'BelayDrift');
  });

  test('are nobody else’s, whatever somebody calls his own account', async () => {
    await allow();
    for (const name of ['shop:keda-operator', 'keda:keda', 'keda2:keda-operator'])
      isDenied(await untouched(plane, () => account(name).scale('deployment/web', 0)), 'BelayDrift');
    for (const who of [dev, plane.as('keda-operator'), plane.as('keda:keda-operator')])
      isDenied(await untouched(plane, () => who.scale('deployment/web', 0)), 'BelayDrift');
  });

  test('are those of people, too, where the policy names people', async () => {
    await plane.policy({
      drift: { allow: [{ subjects: [{ kind: 'User', name: 'dev' }], kind: 'Deployment', paths: ['/spec/replicas'] }] },
    });
    succeeds(await dev.scale('deployment/web', 3));
    isDenied(await untouched(plane, () => image(dev)), 'BelayDrift');
    isDenied(await untouched(plane, () => sre.scale('deployment/web', 9)), 'BelayDrift');
  });

  test('wait while the release is frozen, unless the policy says otherwise', async () => {
    const keda = account('keda:keda-operator');
    await allow();
    await plane.freeze('web');
    isDenied(
      await untouched(plane, () => keda.scale('deployment/web', 0)),
      'BelayFrozen',
      /waits for the end of the freeze, unless the policy says whileFrozen: true/,
    );
    await allow({ whileFrozen: true });
    succeeds(await keda.scale('deployment/web', 0));
    isDenied(await untouched(plane, () => image(keda)), 'BelayFrozen');
    isDenied(await untouched(plane, () => account('shop:keda-operator').scale('deployment/web', 1)), 'BelayFrozen');
    await plane.policy({
      freeze: { action: 'Warn' },
      drift: { allow: [{ subjects: [KEDA], kind: '*', paths: ['/spec/replicas'] }] },
    });
    const warned = await keda.scale('deployment/web', 1);
    succeeds(warned);
    assert.match(warned.said, /BelayFrozen/);
    assert.doesNotMatch(warned.said, /BelayDrift/);
  });
});

describe('whom a policy trusts', () => {
  const trust = (more: object = {}) => plane.policy({ drift: { trusted: [{ ...KEDA, ...more }] } });

  test('waits while the release is frozen, unless the policy says otherwise', async () => {
    const keda = account('keda:keda-operator');
    await trust();
    succeeds(await image(keda));
    await plane.freeze('web');
    isDenied(await untouched(plane, () => replicas(keda, 0)), 'BelayFrozen', /whileFrozen: true/);
    isDenied(await untouched(plane, () => keda.delete('service/web')), 'BelayFrozen');
    await trust({ whileFrozen: true });
    succeeds(await replicas(keda, 0));
    await trust();
    succeeds(await unfreeze());
    succeeds(await replicas(keda, 1));
  });

  test('passes a freeze that the policy only warns of, with the warning', async () => {
    await plane.policy({ freeze: { action: 'Warn' }, drift: { trusted: [KEDA] } });
    await plane.freeze('web');
    const outcome = await image(account('keda:keda-operator'));
    succeeds(outcome);
    assert.match(outcome.said, /BelayFrozen/);
    assert.doesNotMatch(outcome.said, /BelayDrift/);
  });
});

describe('a preset', () => {
  test('leaves KEDA the replicas, and is named in the refusal where the policy lacks it', async () => {
    const keda = account('keda:keda-operator');
    isDenied(
      await untouched(plane, () => keda.scale('deployment/web', 0)),
      'BelayDrift',
      /KEDA: belay policy preset apply keda\n/,
    );
    await plane.policy({});
    isDenied(
      await keda.scale('deployment/web', 0),
      'BelayDrift',
      /KEDA: belay policy preset apply keda --policy house\n/,
    );
    isDenied(
      await untouched(plane, () => account('infra:keda-operator').scale('deployment/web', 0)),
      'BelayDrift',
      /KEDA: belay policy preset apply keda --account infra:keda-operator --policy house\n/,
    );
    const said = (await image(keda)).said;
    assert.doesNotMatch(said, /preset/);
    await plane.policy({ drift: { presets: ['keda', 'flagger'] } });
    succeeds(await keda.scale('deployment/web', 0));
    isDenied(await untouched(plane, () => image(keda)), 'BelayDrift');
    isDenied(await untouched(plane, () => account('shop:keda-operator').scale('deployment/web', 5)), 'BelayDrift');
    await plane.freeze('web');
    isDenied(await untouched(plane, () => keda.scale('deployment/web', 5)), 'BelayFrozen');
  });

  test('of auto that is not installed leaves nothing to anybody', async () => {
    await plane.policy({ drift: { presets: ['auto'] } });
    isDenied(await untouched(plane, () => account('keda:keda-operator').scale('deployment/web', 0)), 'BelayDrift');
  });
});
