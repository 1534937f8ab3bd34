import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { stringify } from 'yaml';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import { renderShop, toManifest } from '../../memory/chart.ts';
import type { Operation, Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';
import { toRecordObject } from '../../memory/record.ts';

/** Hooks of an uninstall: Helm runs them although its write of `uninstalling` was refused. */

let plane: MemoryPlane;
let ci: Person;
let dev: Person;

const hookObject = (events: string, name = 'web-wipe', more: object = {}): KubernetesObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, annotations: { 'helm.sh/hook': events }, ...more },
  spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'wipe', image: 'busybox' }] } } },
});

const entryOf = (object: KubernetesObject): object => ({
  name: object.metadata?.name,
  kind: object.kind,
  path: 'shop/templates/hooks.yaml',
  manifest: stringify(object),
  events: (object.metadata?.annotations?.['helm.sh/hook'] ?? '')
    .toLowerCase()
    .split(',')
    .map((event) => event.trim()),
});

/** Stores a release as Helm leaves it, while nobody judges. */
const store = async (
  release: string,
  hooks: readonly KubernetesObject[],
  revision = 1,
  place = 'shop',
  status: 'deployed' | 'superseded' = 'deployed',
): Promise<void> => {
  plane.unguard();
  const time = plane.clock.time();
  const payload = {
    name: release,
    namespace: place,
    version: revision,
    info: { first_deployed: time, last_deployed: time, status },
    chart: { metadata: { name: 'shop', version: '1.4.0' }, templates: [], values: {} },
    config: {},
    manifest: toManifest(renderShop(release, {})),
    hooks: hooks.map(entryOf),
  };
  succeeds(await plane.admin.create(toRecordObject(payload, 'Secret', place, {})));
  plane.guard();
  await plane.server.settled();
};

const NOT_ADMITTED = /it is a hook of an uninstall, and no uninstall by this user was admitted/;
const uninstall: Operation = (helm) => helm.uninstall('web');
/** What Helm does next, when it runs the hook. */
const run = (person: Person, object = hookObject('pre-delete')) => person.create(object);

beforeEach(async () => {
  plane = await memoryPlane();
  ci = plane.as('ci');
  dev = plane.as('dev');
});
afterEach(() => plane.stop());

describe('the hook of an uninstall', () => {
  beforeEach(() => store('web', [hookObject('pre-delete')]));

  test('does not run after the uninstall of a frozen release was refused, and the refusal tells why', async () => {
    await plane.freeze('web');
    for (const helm of [dev.helm, dev.helm3]) {
      await helm.start(uninstall);
      isDenied(
        await untouched(plane, () => run(dev)),
        'BelayFrozen',
        /creation of Job web-wipe in namespace shop refused: release web in namespace shop is frozen: "audit week"/,
        NOT_ADMITTED,
      );
    }
  });

  test('does not run where a policy or the Namespace freezes', async () => {
    await plane.policy({ freeze: { reason: 'weekend' } });
    isDenied(await untouched(plane, () => run(plane.admin)), 'BelayFrozen', /weekend/);
  });

  test('does not run when the refusal was because of another’s upgrade in flight', async () => {
    await ci.helm.start((helm) => helm.upgrade('web'));
    await dev.helm.start(uninstall);
    isDenied(
      await untouched(plane, () => run(dev)),
      'BelayOperationInFlight',
      /upgrade to revision 2 by ci/,
      NOT_ADMITTED,
    );
  });

  test('does not run beside an upgrade of the same user', async () => {
    await ci.helm.start((helm) => helm.upgrade('web'));
    await ci.helm.start(uninstall);
    isDenied(await untouched(plane, () => run(ci)), 'BelayOperationInFlight', NOT_ADMITTED);
  });

  test('runs in an uninstall that was admitted, also when the release is frozen meanwhile', async () => {
    await dev.helm.start(uninstall);
    await plane.freeze('web');
    succeeds(await run(dev));
    succeeds(await dev.delete('job/web-wipe'));
  });

  test('runs in an uninstall that took long, for its own user', async () => {
    await dev.helm.start(uninstall);
    plane.clock.advance(600_001);
    succeeds(await run(dev));
  });

  test('runs as the last of an uninstall that has deleted the newest record already, as nelm does', async () => {
    await store('web', [hookObject('pre-delete')], 2);
    await dev.helm.start(uninstall);
    succeeds(await dev.delete('secret/sh.helm.release.v1.web.v2'));
    succeeds(await run(dev));
  });

  test('does not run by the hand of another while the uninstall is in flight', async () => {
    await dev.helm.start(uninstall);
    isDenied(await untouched(plane, () => run(ci)), 'BelayOperationInFlight', NOT_ADMITTED);
  });

  test('is created by nobody while the release is at rest, and by hand while it is open', async () => {
    isDenied(await untouched(plane, () => run(dev)), 'BelayDrift', NOT_ADMITTED, /helm uninstall web -n shop/);
    const until = new Date(plane.clock.nowMs() + 60_000).toISOString().replace(/\.\d+Z/, 'Z');
    const window = { 'belay.dev/open': 'by hand', 'belay.dev/open-until': until };
    succeeds(await plane.admin.annotate('secret/sh.helm.release.v1.web.v1', window));
    succeeds(await run(dev));
  });

  test('may be cleaned up by hand, but not while the release is frozen, where a refused uninstall would', async () => {
    plane.unguard();
    succeeds(await run(dev));
    plane.guard();
    await plane.freeze('web');
    isDenied(await untouched(plane, () => dev.delete('job/web-wipe')), 'BelayFrozen', NOT_ADMITTED);
    succeeds(await plane.admin.annotate('secret/sh.helm.release.v1.web.v1', { 'belay.dev/freeze': null }));
    succeeds(await dev.delete('job/web-wipe'));
  });

  test('runs where the policy only warns, and says so', async () => {
    await plane.policy({ freeze: { action: 'Warn', reason: 'weekend' }, drift: { action: 'Warn' } });
    const { ok, said } = await run(dev);
    assert.ok(ok, said);
    assert.match(said, /BelayFrozen/);
  });
});

describe('what is like the hook of an uninstall', () => {
  test('runs: a Job of the same name in another namespace, or of another kind, or that no record lists', async () => {
    await store('web', [hookObject('pre-delete')]);
    await plane.freeze('web');
    const eve = await plane.inNamespace('garden', 'eve');
    succeeds(await run(eve));
    succeeds(await run(dev, hookObject('pre-delete', 'unlisted')));
    succeeds(
      await dev.create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'web-wipe', annotations: { 'helm.sh/hook': 'pre-delete' } },
      }),
    );
  });

  test('a hook of tests as well runs on a frozen release', async () => {
    await store('web', [hookObject('test,pre-delete')]);
    await plane.freeze('web');
    succeeds(await run(dev, hookObject('test,pre-delete')));
  });

  test('a hook of several operations runs in each of them, and is restored while nothing holds the release', async () => {
    const several = hookObject('pre-install,post-upgrade,Pre-Delete');
    await store('web', [several]);
    succeeds(await run(plane.as('system:serviceaccount:velero:velero'), several));
    succeeds(await dev.delete('job/web-wipe'));
    await plane.freeze('web');
    isDenied(await untouched(plane, () => run(dev, several)), 'BelayFrozen');
  });

  test('two releases with the same hook: the uninstall that was admitted runs it', async () => {
    await store('web', [hookObject('pre-delete', 'wipe')]);
    await store('site', [hookObject('pre-delete', 'wipe')]);
    await plane.freeze('site');
    await dev.helm.start(uninstall);
    succeeds(await run(dev, hookObject('pre-delete', 'wipe')));
    isDenied(await untouched(plane, () => run(ci, hookObject('pre-delete', 'wipe'))), 'BelayOperationInFlight');
  });

  test('a hook that its chart puts into another namespace, or into none, is found there', async () => {
    const eve = await plane.inNamespace('data', 'eve', 'admin');
    const role: KubernetesObject = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'wiper', annotations: { 'helm.sh/hook': 'post-delete' } },
    };
    await store('web', [hookObject('pre-delete', 'far', { namespace: 'data' }), role]);
    succeeds(await run(eve, hookObject('pre-delete', 'near')));
    await plane.freeze('web');
    isDenied(await untouched(plane, () => run(eve, hookObject('pre-delete', 'far'))), 'BelayFrozen');
    isDenied(await untouched(plane, () => plane.admin.create(role)), 'BelayFrozen', /ClusterRole wiper/);
    succeeds(await plane.admin.annotate('secret/sh.helm.release.v1.web.v1', { 'belay.dev/freeze': null }));
    await dev.helm.start(uninstall);
    succeeds(await dev.create(role));
  });

  test('the newest revision counts, whose hooks Helm runs', async () => {
    await store('web', [hookObject('pre-delete', 'old')], 1, 'shop', 'superseded');
    await store('web', [hookObject('pre-delete', 'new')], 2);
    await plane.freeze('web');
    succeeds(await run(dev, hookObject('pre-delete', 'old')));
    isDenied(await untouched(plane, () => run(dev, hookObject('pre-delete', 'new'))), 'BelayFrozen');
  });
});
