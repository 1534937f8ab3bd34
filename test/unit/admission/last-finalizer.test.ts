import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import type { ObjectName, Outcome, Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';
import { payloadIn, toRecordObject } from '../../memory/record.ts';

/** What is being deleted and kept by a finalizer alone is deleted by the UPDATE that takes this finalizer off: no webhook is asked about a DELETE. */

const HOLD = 'example.com/hold';
const record = (revision: number): ObjectName => `secret/sh.helm.release.v1.web.v${revision}`;

let plane: MemoryPlane;
let ci: Person;
let dev: Person;
let operator: Person;

const hold = async (person: Person, name: ObjectName, finalizers: readonly string[] = [HOLD]): Promise<void> => {
  succeeds(await person.patch(name, { metadata: { finalizers } }));
};
const release = (person: Person, name: ObjectName): Promise<Outcome> =>
  person.patch(name, { metadata: { finalizers: null } });
const isThere = async (name: ObjectName): Promise<boolean> =>
  plane.admin.get(name).then(
    () => true,
    () => false,
  );
const open = async (): Promise<void> => {
  const until = new Date(plane.clock.nowMs() + 60_000).toISOString().replace(/\.\d+Z/, 'Z');
  const window = { 'belay.dev/open': 'moving a disk', 'belay.dev/open-until': until };
  succeeds(await plane.admin.annotate(record(2), window));
};

beforeEach(async () => {
  plane = await memoryPlane();
  ci = plane.as('ci');
  dev = plane.as('dev');
  operator = plane.as('system:serviceaccount:operators:operator', 'edit', ['system:serviceaccounts']);
  succeeds(await ci.helm.install('web'));
  succeeds(await ci.helm.upgrade('web', { greeting: 'two' }));
});
afterEach(() => plane.stop());

describe('the last finalizer of an object that was deleted while the release was open', () => {
  beforeEach(async () => {
    await hold(dev, 'configmap/web');
    await open();
    succeeds(await dev.delete('configmap/web'));
    plane.clock.advance(120_000);
  });

  const WAYS: readonly (readonly [how: string, take: (person: Person) => Promise<Outcome>])[] = [
    ['by a merge patch', (person) => release(person, 'configmap/web')],
    ['by a JSON patch', (person) => person.patch('configmap/web', [{ op: 'remove', path: '/metadata/finalizers' }])],
    [
      'with the marks in one write',
      (person) => person.patch('configmap/web', { metadata: { finalizers: [], labels: null, annotations: null } }),
    ],
    [
      'by replace',
      async (person) => {
        const { metadata: { finalizers: _finalizers, ...metadata } = {}, ...object } =
          await person.get('configmap/web');
        return person.replace({ ...object, metadata } as KubernetesObject);
      },
    ],
  ];
  for (const [how, take] of WAYS) {
    test(`is not taken off a frozen release ${how}, and the refusal says why`, async () => {
      await plane.freeze('web');
      for (const person of [dev, operator]) {
        isDenied(
          await untouched(plane, () => take(person)),
          'BelayFrozen',
          /deletion of ConfigMap web in namespace shop refused/,
          /it is being deleted already, and stays as long as one of its finalizers does/,
          /to lift it, for someone who may unlock/,
        );
      }
      assert.ok(await isThere('configmap/web'));
    });
  }

  test('is not taken off by people when the window has ended, and is while it is open again', async () => {
    isDenied(
      await untouched(plane, () => release(dev, 'configmap/web')),
      'BelayDrift',
      /it is being deleted already, and is gone as soon as its last finalizer is/,
    );
    await open();
    succeeds(await release(dev, 'configmap/web'));
    assert.ok(!(await isThere('configmap/web')));
  });

  test('is taken off by the operator that put it there, while another’s upgrade is in flight too', async () => {
    await ci.helm.start((helm) => helm.upgrade('web', { greeting: 'three' }));
    succeeds(await release(operator, 'configmap/web'));
    assert.ok(!(await isThere('configmap/web')));
  });

  test('is not taken off by another person while an upgrade is in flight', async () => {
    await ci.helm.start((helm) => helm.upgrade('web', { greeting: 'three' }));
    isDenied(await untouched(plane, () => release(dev, 'configmap/web')), 'BelayOperationInFlight');
  });

  test('goes once the freeze is lifted', async () => {
    await plane.freeze('web');
    for (const name of [record(1), record(2)]) succeeds(await plane.admin.annotate(name, { 'belay.dev/freeze': null }));
    succeeds(await release(operator, 'configmap/web'));
  });

  test('is told from one of several, and from finalizers of what is not being deleted', async () => {
    succeeds(await plane.admin.patch('configmap/web', { metadata: { finalizers: [HOLD, 'example.com/other'] } }));
    await hold(dev, 'service/web');
    await plane.freeze('web');
    succeeds(await dev.patch('configmap/web', { metadata: { finalizers: [HOLD] } }));
    succeeds(await release(dev, 'service/web'));
    assert.ok(await isThere('service/web'));
  });
});

describe('what an uninstall deleted, and a finalizer keeps', () => {
  test('is let go by whoever put the finalizer there, though the release was frozen meanwhile', async () => {
    await hold(dev, 'configmap/web');
    const uninstall = await ci.helm.start((helm) => helm.uninstall('web'));
    succeeds(await ci.delete('configmap/web'));
    await plane.freeze('web');
    succeeds(await release(operator, 'configmap/web'));
    assert.equal(uninstall.ended, undefined);
  });

  test('is let go when the records are gone, by a person too', async () => {
    await hold(dev, 'configmap/web');
    succeeds(await ci.helm.uninstall('web'));
    succeeds(await release(dev, 'configmap/web'));
  });

  test('a record of it is let go as well', async () => {
    for (const revision of [1, 2]) await hold(dev, record(revision));
    succeeds(await ci.helm.uninstall('web'));
    // Helm's update to uninstalling has taken the finalizer off the newest.
    succeeds(await release(operator, record(1)));
    assert.equal(await plane.history('web'), '');
  });
});

describe('a record that is being deleted, and that a finalizer keeps', () => {
  test('stays while its release is frozen, by whomever the finalizer is taken off', async () => {
    await hold(dev, record(1));
    succeeds(await dev.delete(record(1)));
    await plane.freeze('web');
    for (const person of [dev, operator]) {
      isDenied(await untouched(plane, () => release(person, record(1))), 'BelayFrozen', /deletion of a record/);
    }
  });

  test('goes where history may be pruned, while an upgrade is in flight too', async () => {
    await hold(dev, record(1));
    succeeds(await dev.delete(record(1)));
    await ci.helm.start((helm) => helm.upgrade('web', { greeting: 'three' }));
    succeeds(await release(operator, record(1)));
    assert.equal(await plane.history('web'), 'v2 deployed, v3 pending-upgrade');
  });

  test('does not become deployed, and so the freeze that comes later does not go with it', async () => {
    const upgrade = await ci.helm.start((helm) => helm.upgrade('web', { greeting: 'three' }));
    await hold(dev, record(3));
    plane.clock.advance(600_001);
    succeeds(await dev.delete(record(3)));
    isDenied(await upgrade.finish(), 'BelayRecordProtected', /it is being deleted/, /helm rollback web -n shop/);
    plane.clock.advance(600_001);
    succeeds(await dev.helm.rollback('web', 2));
  });

  test('does not become deployed by a write that leaves the finalizer there', async () => {
    await ci.helm.start((helm) => helm.upgrade('web', { greeting: 'three' }));
    await hold(dev, record(3));
    plane.unguard();
    succeeds(await dev.delete(record(3)));
    plane.guard();
    const stored = { kind: 'Secret', ...(await ci.get(record(3))) };
    const payload = payloadIn(stored);
    const { metadata, data } = toRecordObject(
      { ...payload, info: { ...payload.info, status: 'deployed' } },
      'Secret',
      'shop',
      {},
    );
    const patch = { metadata: { labels: metadata?.labels }, data };
    isDenied(await untouched(plane, () => ci.patch(record(3), patch)), 'BelayRecordProtected', /it is being deleted/);
  });

  test('that says deployed stays without a freeze too, until the next upgrade has taken its place', async () => {
    await hold(dev, record(2));
    plane.unguard();
    succeeds(await dev.delete(record(2)));
    plane.guard();
    await plane.server.settled();
    isDenied(await untouched(plane, () => release(dev, record(2))), 'BelayRecordProtected', /deployed revision/);
    succeeds(await ci.helm.upgrade('web', { greeting: 'three' }));
    assert.equal(await plane.history('web'), 'v1 superseded, v3 deployed');
  });
});

describe('a record that was born with an owner', () => {
  const COLLECTOR = 'system:serviceaccount:kube-system:generic-garbage-collector';
  let collector: Person;

  /** Stores the records again as an operator of Helm does that adds itself as their owner. */
  const adopt = async (...revisions: readonly number[]): Promise<void> => {
    plane.unguard();
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'mine', uid: 'gone' }];
    for (const revision of revisions)
      succeeds(await plane.admin.patch(record(revision), { metadata: { ownerReferences } }));
    plane.guard();
    await plane.server.settled();
  };

  beforeEach(() => {
    collector = plane.as(COLLECTOR, 'none');
  });

  test('stays with its freeze when the owner goes', async () => {
    await adopt(1, 2);
    await plane.freeze('web');
    for (const revision of [1, 2]) {
      isDenied(await untouched(plane, () => collector.delete(record(revision))), 'BelayFrozen', /"audit week"/);
    }
  });

  test('stays when the freeze is on the Namespace, or in a policy', async () => {
    await adopt(2);
    succeeds(await plane.admin.annotate('namespace/shop', { 'belay.dev/freeze': 'audit' }));
    isDenied(await untouched(plane, () => collector.delete(record(2))), 'BelayFrozen');
    succeeds(await plane.admin.annotate('namespace/shop', { 'belay.dev/freeze': null }));
    await plane.policy({ freeze: { reason: 'weekend' } });
    isDenied(await untouched(plane, () => collector.delete(record(2))), 'BelayFrozen');
  });

  test('stays when the collector takes its own finalizer off after a delete in the foreground', async () => {
    await hold(dev, record(1), ['foregroundDeletion']);
    succeeds(await dev.delete(record(1)));
    await plane.freeze('web');
    isDenied(await untouched(plane, () => release(collector, record(1))), 'BelayFrozen');
  });

  test('goes with its owner where nothing is frozen, the deployed one too, and while an upgrade is in flight', async () => {
    await adopt(1, 2);
    succeeds(await collector.delete(record(1)));
    await ci.helm.start((helm) => helm.upgrade('web', { greeting: 'three' }));
    succeeds(await collector.delete(record(2)));
  });

  test('stays while it alone carries a pin, and goes with the last of its release', async () => {
    succeeds(await plane.admin.annotate(record(2), { 'belay.dev/pin': '1.x' }));
    await adopt(1, 2);
    isDenied(
      await untouched(plane, () => collector.delete(record(2))),
      'BelayRecordProtected',
      /belay\.dev\/pin is on no other revision/,
    );
    succeeds(await collector.delete(record(1)));
    succeeds(await collector.delete(record(2)));
  });

  test('loses its owner to the collector where it outlives it', async () => {
    await adopt(1, 2);
    await plane.freeze('web');
    succeeds(await collector.patch(record(2), { metadata: { ownerReferences: null } }));
  });
});
