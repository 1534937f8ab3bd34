import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { stringify } from 'yaml';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import { renderShop, toManifest } from '../../memory/chart.ts';
import type { Outcome, Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';
import { toRecordObject } from '../../memory/record.ts';

/** Hooks of an operation in flight scale, change and delete what the chart installs: those of kyverno, capsule and kubewarden do. */

interface HookOptions {
  readonly events?: readonly string[];
  readonly namespace?: string;
  readonly kind?: 'Job' | 'Pod' | 'CronJob';
  /** The field of the Pod that names the account. */
  readonly field?: string;
}

const hookOf = (account: unknown, options: HookOptions = {}): object => {
  const { events = ['pre-upgrade'], namespace, kind = 'Job', field = 'serviceAccountName' } = options;
  const pod = {
    containers: [{ name: 'run', image: 'busybox' }],
    ...(account === undefined ? {} : { [field]: account }),
  };
  const job = { template: { spec: pod } };
  const object: KubernetesObject = {
    apiVersion: kind === 'Pod' ? 'v1' : 'batch/v1',
    kind,
    metadata: { name: 'run', ...(namespace && { namespace }) },
    spec: kind === 'Pod' ? pod : kind === 'CronJob' ? { schedule: '@daily', jobTemplate: { spec: job } } : job,
  };
  return { name: 'run', kind, path: 'shop/templates/hooks.yaml', manifest: stringify(object), events };
};

let plane: MemoryPlane;
let ci: Person;
const account = (name: string, namespace = 'shop'): Person =>
  plane.as(`system:serviceaccount:${namespace}:${name}`, 'edit', ['system:serviceaccounts']);

const payloadOf = (status: string, version: number, hooks: readonly object[]) => ({
  name: 'web',
  namespace: 'shop',
  version,
  info: { first_deployed: plane.clock.time(), last_deployed: plane.clock.time(), status },
  chart: { metadata: { name: 'shop', version: '1.4.0' }, templates: [], values: {} },
  config: {},
  manifest: toManifest(renderShop('web', {})),
  hooks,
});

/** What Helm writes before it runs its hooks. */
const begin = async (...hooks: readonly object[]): Promise<void> => {
  succeeds(await ci.create(toRecordObject(payloadOf('pending-upgrade', 2, hooks), 'Secret', 'shop', {})));
  await plane.server.settled();
};
/** On the Namespace: a record of an operation that is silent is not written by others. */
const freeze = async (reason: string | null): Promise<void> => {
  succeeds(await plane.admin.annotate('namespace/shop', { 'belay.dev/freeze': reason }));
};
const change = (person: Person): Promise<Outcome> =>
  person.patch('configmap/web', { data: { GREETING: 'of the hook' } });

beforeEach(async () => {
  plane = await memoryPlane();
  ci = plane.as('ci');
  succeeds(await ci.helm.install('web'));
});
afterEach(() => plane.stop());

describe('the account of a hook', () => {
  test('scales, changes, deletes and creates what its release governs, while its operation is in flight', async () => {
    await begin(hookOf('runner'));
    const runner = account('runner');
    const { metadata: { resourceVersion: _version, uid: _uid, ...metadata } = {}, ...service } =
      await runner.get('service/web');
    succeeds(await runner.scale('deployment/web', 0));
    succeeds(await change(runner));
    succeeds(await runner.delete('service/web'));
    succeeds(await runner.create({ ...service, metadata } as KubernetesObject));
  });

  for (const kind of ['Pod', 'CronJob'] as const) {
    test(`is found in a ${kind}`, async () => {
      await begin(hookOf('runner', { kind }));
      succeeds(await change(account('runner')));
    });
  }

  test('is found by the older name of the field, and among the hooks of other events', async () => {
    await begin(
      hookOf('tester', { events: ['test'] }),
      hookOf('runner', { events: ['post-install', 'post-upgrade'], field: 'serviceAccount' }),
    );
    succeeds(await change(account('runner')));
  });

  test('goes on while the release is frozen meanwhile, and when its hook takes long', async () => {
    await begin(hookOf('runner'));
    await freeze('audit');
    succeeds(await account('runner').scale('deployment/web', 0));
    await freeze(null);
    plane.clock.advance(1_200_000);
    succeeds(await change(account('runner')));
  });

  test('keeps its operation alive', async () => {
    await begin(hookOf('runner'));
    plane.clock.advance(400_000);
    succeeds(await change(account('runner')));
    await plane.server.settled();
    plane.clock.advance(400_000);
    isDenied(await plane.as('dev').helm.rollback('web', 1), 'BelayOperationInFlight');
  });

  test('writes in an uninstall too, whose hooks are those of the revision that was deployed', async () => {
    plane.unguard();
    await begin(hookOf('runner', { events: ['pre-delete'] }));
    const { metadata, data } = toRecordObject(
      payloadOf('deployed', 2, [hookOf('runner', { events: ['pre-delete'] })]),
      'Secret',
      'shop',
      {},
    );
    const name = 'secret/sh.helm.release.v1.web.v2';
    succeeds(await ci.patch(name, { metadata: { labels: metadata?.labels }, data }));
    plane.guard();
    isDenied(await untouched(plane, () => change(account('runner'))), 'BelayDrift');
    await ci.helm.start((helm) => helm.uninstall('web'));
    succeeds(await account('runner').delete('service/web'));
  });
});

describe('who is not the account of a hook is refused as ever', () => {
  const refused = async (person: Person, code: 'BelayDrift' | 'BelayFrozen' = 'BelayDrift'): Promise<void> => {
    isDenied(await untouched(plane, () => change(person)), code);
  };

  test('another account, a person of that name, and an account of that name in another namespace', async () => {
    await begin(hookOf('runner'));
    for (const person of [account('other'), plane.as('runner'), account('runner', 'garden')]) await refused(person);
  });

  test('the account of a hook of another operation, or of a test', async () => {
    await begin(hookOf('runner', { events: ['pre-delete', 'post-install'] }), hookOf('tester', { events: ['test'] }));
    await refused(account('runner'));
    await refused(account('tester'));
  });

  test('the account of the hook of a release at rest, or of an operation that is over', async () => {
    await begin(hookOf('runner'));
    const name = 'secret/sh.helm.release.v1.web.v2';
    const { metadata, data } = toRecordObject(payloadOf('failed', 2, [hookOf('runner')]), 'Secret', 'shop', {});
    succeeds(await ci.patch(name, { metadata: { labels: metadata?.labels }, data }));
    await refused(account('runner'));
  });

  test('the account of a dead operation of a frozen release', async () => {
    await begin(hookOf('runner'));
    plane.clock.advance(600_001);
    await freeze('audit');
    await refused(account('runner'), 'BelayFrozen');
  });

  test('the account of an operation that was declared dead', async () => {
    await begin(hookOf('runner'));
    succeeds(await plane.admin.annotate('secret/sh.helm.release.v1.web.v2', { 'belay.dev/break': 'killed' }));
    await refused(account('runner'));
  });

  test('`default`, as which every Pod runs that names no account, whether the hook names it or none', async () => {
    await begin(hookOf('default'), hookOf(undefined));
    await refused(account('default'));
  });

  test('an account that a hook names by a username, or by anything but a name', async () => {
    const names = ['garden:runner', 'system:serviceaccount:garden:runner', '../garden', ['runner'], '', 7];
    await begin(...names.map((name) => hookOf(name)));
    await refused(account('runner', 'garden'));
    await refused(account('runner'));
  });

  test('the account of a hook in another namespace, but for objects there', async () => {
    await begin(hookOf('runner', { namespace: 'garden' }));
    await refused(account('runner', 'garden'));
    await refused(account('runner'));
  });

  test('the account of a hook where another release governs the object', async () => {
    succeeds(await ci.helm.install('site'));
    await begin(hookOf('runner'));
    const other = await untouched(plane, () => account('runner').patch('configmap/site', { data: { GREETING: 'x' } }));
    isDenied(other, 'BelayDrift', /release site/);
  });

  test('records, which the account neither changes nor deletes', async () => {
    await begin(hookOf('runner'));
    const runner = account('runner');
    for (const revision of [1, 2]) {
      const name = `secret/sh.helm.release.v1.web.v${revision}`;
      const { metadata, data } = toRecordObject(payloadOf('deployed', revision, []), 'Secret', 'shop', {});
      const { ok } = await untouched(plane, () => runner.patch(name, { metadata: { labels: metadata?.labels }, data }));
      assert.ok(!ok);
    }
    const newest = 'secret/sh.helm.release.v1.web.v2';
    isDenied(await untouched(plane, () => runner.delete(newest)), 'BelayOperationInFlight');
  });

  test('its uninstall, after whose refusal it deletes nothing any more', async () => {
    await begin(hookOf('runner'));
    const runner = account('runner');
    const before = await plane.state();
    await runner.helm.uninstall('web');
    for (const name of ['configmap/web', 'service/web', 'deployment/web']) {
      assert.equal((await runner.get(name)).metadata?.deletionTimestamp, undefined);
    }
    assert.equal(Object.keys(await plane.state()).length, Object.keys(before).length);
    isDenied(
      await runner.delete('service/web'),
      'BelayOperationInFlight',
      /an uninstall of release web in namespace shop by this user was refused/,
    );
    succeeds(await change(runner));
    succeeds(await ci.delete('service/web'));
  });

  test('who writes a record of an operation to name an account, while another holds the release', async () => {
    await begin(hookOf('runner'));
    const eve = plane.as('eve');
    const record = toRecordObject(payloadOf('pending-upgrade', 3, [hookOf('evil')]), 'Secret', 'shop', {});
    isDenied(await untouched(plane, () => eve.create(record)), 'BelayOperationInFlight');
    const { data } = toRecordObject(payloadOf('pending-upgrade', 2, [hookOf('evil')]), 'Secret', 'shop', {});
    isDenied(
      await untouched(plane, () => eve.patch('secret/sh.helm.release.v1.web.v2', { data })),
      'BelayRecordProtected',
    );
    await refused(account('evil'));
  });
});
