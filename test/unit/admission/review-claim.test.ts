import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import type { Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';

/** The claim is Belay’s alone, though `edit` may write Leases. */

const LEASE = 'lease/belay.web';

let plane: MemoryPlane;
let ci: Person;
let dev: Person;

const lease = (name: string, metadata: object = {}): KubernetesObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, ...metadata },
  spec: { holderIdentity: 'dev', leaseDurationSeconds: 3600, renewTime: '2030-01-01T00:00:00.000000Z' },
});
const holderOf = async (name: string): Promise<unknown> => {
  const { spec, metadata } = await plane.admin.get(`lease/${name}`);
  return [(spec as { holderIdentity: string }).holderIdentity, metadata?.labels?.['belay.dev/claim']];
};

beforeEach(async () => {
  plane = await memoryPlane();
  ci = plane.as('ci');
  dev = plane.as('dev');
});
afterEach(() => plane.stop());

describe('while its operation is in flight', () => {
  beforeEach(async () => {
    succeeds(await plane.helm.install('web'));
    await plane.helm.start((helm) => helm.upgrade('web'));
  });

  const patches: Readonly<Record<string, object>> = {
    'loses its label': { metadata: { labels: { 'belay.dev/claim': null } } },
    'is labelled as none': { metadata: { labels: { 'belay.dev/claim': 'false' } } },
    'names another revision': { metadata: { annotations: { 'belay.dev/revision': '1' } } },
    'names no operation': { metadata: { annotations: { 'belay.dev/operation': null } } },
    'gets another holder': { spec: { holderIdentity: 'dev' } },
    'is renewed by another': { spec: { renewTime: '2030-01-01T00:00:00.000000Z' } },
    'is dated anew': { spec: { acquireTime: '2030-01-01T00:00:00.000000Z' } },
    'gets a finalizer': { metadata: { finalizers: ['evil.dev/stays'] } },
  };
  for (const [what, patch] of Object.entries(patches)) {
    test(`it is refused to others that it ${what}`, async () => {
      isDenied(await untouched(plane, () => dev.patch(LEASE, patch)), 'BelayClaimGuarded');
    });
  }

  test('nobody deletes it, nor does its holder', async () => {
    for (const who of [dev, ci]) isDenied(await untouched(plane, () => who.delete(LEASE)), 'BelayClaimGuarded');
    isDenied(await untouched(plane, () => dev.deleteAll('lease')), 'BelayClaimGuarded');
  });

  test('its holder may renew it and shorten its time, and nothing else', async () => {
    plane.clock.advance(1_000);
    const renewTime = plane.clock.time().replace('Z', '.000000Z');
    succeeds(await ci.patch(LEASE, { spec: { renewTime } }));
    plane.clock.advance(1_000);
    succeeds(await ci.patch(LEASE, { spec: { leaseDurationSeconds: 30 } }));
    for (const spec of [
      { holderIdentity: 'dev' },
      { leaseDurationSeconds: 29 },
      { leaseDurationSeconds: 900 },
      { leaseDurationSeconds: null },
    ])
      isDenied(await untouched(plane, () => ci.patch(LEASE, { spec })), 'BelayClaimGuarded');
  });

  test('it is taken over sooner where its holder has shortened its time', async () => {
    succeeds(await ci.patch(LEASE, { spec: { leaseDurationSeconds: 30 } }));
    plane.clock.advance(31_000);
    succeeds(await dev.helm.rollback('web', 1));
  });
});

describe('a claim without an operation in flight', () => {
  beforeEach(async () => {
    succeeds(await plane.helm.install('web'));
  });

  test('is not deleted, so that nobody makes it anew without its label', async () => {
    for (const who of [dev, ci, plane.as('sre', 'admin')])
      isDenied(await untouched(plane, () => who.delete(LEASE)), 'BelayClaimGuarded');
    isDenied(await untouched(plane, () => dev.deleteAll('lease')), 'BelayClaimGuarded');
  });

  test('nobody renews it, nor does its last holder', async () => {
    const renewal = { spec: { renewTime: '2030-01-01T00:00:00.000000Z' } };
    for (const who of [dev, ci]) isDenied(await untouched(plane, () => who.patch(LEASE, renewal)), 'BelayClaimGuarded');
  });

  test('goes with its namespace', async () => {
    succeeds(await plane.admin.patch('namespace/shop', { metadata: { finalizers: ['dev.test/stays'] } }));
    succeeds(await plane.admin.delete('namespace/shop'));
    succeeds(await dev.delete(LEASE));
  });
});

test('a holder that renews in a loop is refused all but one in a second', async () => {
  succeeds(await plane.helm.install('web'));
  await plane.helm.start((helm) => helm.upgrade('web'));
  let passed = 0;
  for (let at = 0; at < 100; at += 1) {
    plane.clock.advance(20);
    const renewTime = plane.clock.time().replace('Z', '.000000Z');
    if ((await ci.patch(LEASE, { spec: { renewTime } })).ok) passed += 1;
  }
  assert.equal(passed, 2);
});

test('a Lease of a claim’s name is not created by hand, with the label, without it, or by a patch', async () => {
  const forged = lease('belay.next', { labels: { 'belay.dev/claim': 'true' } });
  isDenied(await untouched(plane, () => dev.create(forged)), 'BelayClaimGuarded');
  isDenied(await untouched(plane, () => dev.create(lease('belay.next'))), 'BelayClaimGuarded');
  isDenied(await untouched(plane, () => dev.apply(lease('belay.next'))), 'BelayClaimGuarded');
});

test('Leases of other names are everybody’s: elections, and the turns of `helm lock`', async () => {
  for (const name of ['belay-lock.web', 'belayer', 'my-controller']) {
    succeeds(await dev.create(lease(name)));
    succeeds(await dev.patch(`lease/${name}`, { spec: { holderIdentity: 'ci' } }));
    succeeds(await dev.delete(`lease/${name}`));
  }
});

test('the claim of a dead operation stays, for without it nobody could tell whose it was', async () => {
  succeeds(await plane.helm.install('web'));
  await plane.helm.start((helm) => helm.upgrade('web'));
  plane.clock.advance(601_000);
  isDenied(await untouched(plane, () => dev.delete(LEASE)), 'BelayClaimGuarded');
});

describe('a Lease of the claim’s name that somebody made before Belay was there', () => {
  const before = async (attempt: () => ReturnType<Person['create']>): Promise<void> => {
    plane.unguard();
    succeeds(await attempt());
    plane.guard();
  };

  test('neither keeps the release from being installed nor keeps its holder', async () => {
    await before(() => dev.create(lease('belay.early')));
    succeeds(await plane.helm.install('early'));
    assert.deepEqual(await holderOf('belay.early'), ['ci', 'true']);
  });

  test('is not written by others in a loop, by which no claim could be written over it', async () => {
    await before(() => dev.create(lease('belay.early')));
    isDenied(await dev.patch('lease/belay.early', { spec: { holderIdentity: 'nobody' } }), 'BelayClaimGuarded');
  });

  test('that waits to be deleted does not take the claim with it', async () => {
    await before(() => dev.create(lease('belay.doomed', { finalizers: ['evil.dev/stays'] })));
    await before(() => dev.delete('lease/belay.doomed'));
    succeeds(await plane.helm.install('doomed'));
    assert.deepEqual(await holderOf('belay.doomed'), ['ci', 'true']);
  });
});
