import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import { renderShop, withMarks } from '../../../memory/chart.ts';
import type { Outcome, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** Writes of a release's objects, from the bytes of the review to what is stored. */

const HOUR_MS = 3_600_000;

let plane: MemoryPlane;
let dev: Person;
let sre: Person;
let robot: Person;
const image = (who: Person, name: string): Promise<Outcome> =>
  who.patch('deployment/web', [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: name }]);
const RECORD = 'secret/sh.helm.release.v1.web.v1';

beforeEach(async () => {
  plane = await memoryPlane();
  dev = plane.as('dev');
  sre = plane.as('sre', 'admin');
  robot = plane.as('system:serviceaccount:shop:robot');
  succeeds(await plane.helm.install('web'));
});
afterEach(() => plane.stop());

describe('drift', () => {
  test('a person may change neither what the chart sets nor what it leaves out; a service account may change what it leaves out', async () => {
    isDenied(await untouched(plane, () => image(dev, 'evil')), 'BelayDrift', /nginx:1\.27" -> "evil"/);
    const more = { spec: { minReadySeconds: 5 } };
    isDenied(await untouched(plane, () => dev.patch('deployment/web', more)), 'BelayDrift', /minReadySeconds/);
    isDenied(await untouched(plane, () => image(robot, 'evil')), 'BelayDrift');
    succeeds(await robot.patch('deployment/web', more));
  });

  test('a service account does not put another port in the place of the chart’s', async () => {
    const operator = plane.as('system:serviceaccount:shop:operator');
    isDenied(
      await untouched(plane, () => operator.patch('service/web', { spec: { ports: [{ port: 81 }] } })),
      'BelayDrift',
    );
  });

  test('a change back to the chart’s value passes', async () => {
    await plane.policy({ drift: { action: 'Off' } });
    succeeds(await image(dev, 'evil'));
    await plane.policy(null);
    succeeds(await image(dev, 'nginx:1.27'));
  });

  test('the next revision governs once it is deployed; where the only revision has failed, none governs', async () => {
    succeeds(await plane.helm.upgrade('web', { image: 'nginx:1.28' }));
    isDenied(await image(dev, 'nginx:1.27'), 'BelayDrift', /revision 2/);
    assert.ok(!(await plane.helm.install('bad', { badPort: true })).ok);
    succeeds(await dev.patch('configmap/bad', { data: { GREETING: 'anything' } }));
  });
});

describe('a frozen release', () => {
  beforeEach(() => plane.freeze('web'));

  test('is changed by nobody: neither a field of it nor by a delete', async () => {
    for (const who of [dev, sre]) {
      isDenied(await untouched(plane, () => image(who, 'evil')), 'BelayFrozen', /audit week/);
      isDenied(await untouched(plane, () => who.delete('service/web')), 'BelayFrozen', /deletion of Service web/);
    }
  });

  test('is not restarted by people, and the refusal says that its Pods may still be deleted', async () => {
    const restart = (at: string | null) => ({
      spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': at } } } },
    });
    const refused = (who: Person, at: string | null) => async () =>
      isDenied(
        await untouched(plane, () => who.patch('deployment/web', restart(at))),
        'BelayFrozen',
        /audit week/,
        /Pods may still be deleted: kubectl delete pod/,
      );
    for (const who of [dev, sre]) await refused(who, '2026-11-21T12:00:00Z')();
    // A controller may restart the Pods: the chart does not set the annotation.
    succeeds(await robot.patch('deployment/web', restart('2026-11-21T12:00:00Z')));
    // To write the same value again is no restart, and to remove the annotation is one.
    succeeds(await dev.patch('deployment/web', restart('2026-11-21T12:00:00Z')));
    await refused(dev, null)();
    await plane.policy({ drift: { serviceAccounts: 'AllFields' } });
    await refused(robot, '2026-11-21T13:00:00Z')();
    await plane.policy({ drift: { ignore: [{ kind: 'Deployment', paths: ['/spec/template/metadata'] }] } });
    succeeds(await dev.patch('deployment/web', restart('2026-11-21T14:00:00Z')));
    await plane.policy({ freeze: { action: 'Warn' } });
    succeeds(await dev.patch('deployment/web', restart('2026-11-21T15:00:00Z')));
    await plane.policy(null);
    succeeds(await sre.annotate(RECORD, { 'belay.dev/freeze': null }));
    succeeds(await dev.patch('deployment/web', restart('2026-11-21T16:00:00Z')));
  });

  test('gets back what it lost exactly as the chart has it', async () => {
    const { data } = (await dev.get('configmap/web')) as { data: object };
    plane.unguard();
    succeeds(await plane.admin.patch('configmap/web', { data: null }));
    plane.guard();
    const more = { data: { ...data, EXTRA: 'evil' } };
    isDenied(await untouched(plane, () => dev.patch('configmap/web', more)), 'BelayFrozen');
    succeeds(await dev.patch('configmap/web', { data }));
    isDenied(await untouched(plane, () => dev.patch('configmap/web', more)), 'BelayFrozen');
  });

  test('gets no new owner from a service account, which may add one to an object of another release', async () => {
    const owner = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'web', uid: crypto.randomUUID() }];
    const adopt = () => robot.patch('service/web', { metadata: { ownerReferences: owner } });
    isDenied(await untouched(plane, adopt), 'BelayFrozen');
    succeeds(await sre.annotate(RECORD, { 'belay.dev/freeze': null }));
    succeeds(await adopt());
  });
});

test('a freeze ends by itself at its time', async () => {
  succeeds(
    await dev.annotate(RECORD, { 'belay.dev/freeze': 'lunch', 'belay.dev/freeze-until': plane.clock.time(HOUR_MS) }),
  );
  isDenied(await dev.scale('deployment/web', 5), 'BelayFrozen', /lunch/);
  plane.clock.advance(HOUR_MS + 1_000);
  isDenied(await dev.scale('deployment/web', 5), 'BelayDrift');
  succeeds(await plane.helm.upgrade('web'));
  // A freeze that is written anew has not ended already.
  succeeds(await dev.annotate('secret/sh.helm.release.v1.web.v2', { 'belay.dev/freeze': 'dinner' }));
  isDenied(await plane.helm.upgrade('web'), 'BelayFrozen', /dinner/);
});

describe('a maintenance window', () => {
  const open = () => ({ 'belay.dev/open': 'migration', 'belay.dev/open-until': plane.clock.time(HOUR_MS) });

  test('is opened by an admin, lets changes by hand pass, and not while the release is frozen', async () => {
    isDenied(await untouched(plane, () => dev.annotate(RECORD, open())), 'BelayLockForbidden', /dev may not open/);
    succeeds(await sre.annotate(RECORD, open()));
    succeeds(await image(dev, 'nginx:1.28'));
    succeeds(await dev.scale('deployment/web', 3));
    await plane.freeze('web', 'stop');
    isDenied(await untouched(plane, () => image(dev, 'nginx:1.29')), 'BelayFrozen');
    succeeds(await sre.annotate(RECORD, { 'belay.dev/freeze': null }));
    succeeds(await dev.annotate(RECORD, { 'belay.dev/open': null, 'belay.dev/open-until': null }));
    isDenied(await untouched(plane, () => image(dev, 'nginx:1.30')), 'BelayDrift');
  });

  test('closes by itself at its time', async () => {
    succeeds(await sre.annotate(RECORD, open()));
    plane.clock.advance(HOUR_MS + 1_000);
    isDenied(await untouched(plane, () => image(dev, 'nginx:1.30')), 'BelayDrift');
  });

  test('leaves an audit annotation at each use', async () => {
    succeeds(await sre.annotate(RECORD, open()));
    succeeds(await image(dev, 'nginx:1.28'));
    assert.match(plane.asked.at(-1)?.response.auditAnnotations?.open ?? '', /open until .*migration/);
  });
});

describe('while an operation is in flight', () => {
  beforeEach(async () => {
    await plane.helm.start((helm) => helm.upgrade('web', { image: 'nginx:1.28' }));
  });

  test('its holder writes, and the others are held to the revision in flight', async () => {
    isDenied(await untouched(plane, () => image(dev, 'evil')), 'BelayDrift', /revision 2/);
    isDenied(await untouched(plane, () => dev.delete('service/web')), 'BelayOperationInFlight', /by ci/);
    succeeds(await image(plane.as('ci'), 'anything'));
  });

  test('each write of its holder keeps it alive, at most six times in the time after which it is stale', async () => {
    const renewedAt = async (): Promise<unknown> =>
      ((await plane.admin.get('lease/belay.web')).spec as { renewTime: string }).renewTime;
    const claimedAt = await renewedAt();
    succeeds(await image(plane.as('ci'), 'a'));
    assert.equal(await renewedAt(), claimedAt);
    plane.clock.advance(101_000);
    succeeds(await image(plane.as('ci'), 'b'));
    assert.notEqual(await renewedAt(), claimedAt);
  });
});

describe('an object that is gone', () => {
  const document = (name: string): KubernetesObject => {
    const found = renderShop('web', {}).find(({ kind }) => kind === name);
    assert.ok(found);
    return withMarks(found, 'web', 'shop');
  };

  beforeEach(async () => {
    const collector = plane.as('system:kube-controller-manager', 'none');
    succeeds(await collector.delete('service/web'));
  });

  test('comes back exactly as the chart has it', async () => {
    succeeds(await dev.apply(document('Service')));
  });

  test('does not come back in another form, nor while the release is frozen or an operation is in flight', async () => {
    const evil = { ...document('Service'), spec: { selector: { app: 'web' }, ports: [{ port: 81 }] } };
    isDenied(await untouched(plane, () => dev.apply(evil)), 'BelayDrift');
    await plane.freeze('web');
    isDenied(await untouched(plane, () => dev.apply(document('Service'))), 'BelayFrozen');
    succeeds(await sre.annotate(RECORD, { 'belay.dev/freeze': null }));
    await plane.helm.start((helm) => helm.upgrade('web'));
    isDenied(await untouched(plane, () => dev.apply(document('Service'))), 'BelayDrift');
  });
});

test('an object that two releases name needs both of them to let it pass', async () => {
  succeeds(await plane.helm.install('api'));
  await plane.freeze('api');
  const toApi = { metadata: { annotations: { 'meta.helm.sh/release-name': 'api' } } };
  isDenied(await untouched(plane, () => dev.patch('configmap/web', toApi)), 'BelayDrift');
});

test('a change is refused although the mirror knows nothing yet', async () => {
  plane.server.cutWatches();
  isDenied(await untouched(plane, () => image(dev, 'evil')), 'BelayDrift');
});

test('while the API server does not answer, a change of an object passes and a change of a record is refused', async () => {
  plane.server.forbid(({ user }) => user.username === 'system:serviceaccount:belay-system:belay');
  succeeds(await image(dev, 'evil'));
  isDenied(await untouched(plane, () => plane.helm.upgrade('web')), 'BelayUnavailable');
});
