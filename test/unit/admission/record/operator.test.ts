import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fails, isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Helm, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** helm-operator, whose custom resource owns every record that it writes, and people who run Helm beside it. */

const OWNER = { apiVersion: 'charts.example.com/v1', kind: 'Shop', name: 'web', uid: 'uid-of-the-cr' };
const STRANGER = { ...OWNER, name: 'gone', uid: 'uid-of-nothing' };
const ACCOUNT = 'system:serviceaccount:operators:shop-operator';

let plane: MemoryPlane;
let operator: Helm;
let dev: Person;

const at = (revision: number): string => `secret/sh.helm.release.v1.web.v${revision}`;
const owners = async (revision: number): Promise<unknown> =>
  (await plane.admin.get(at(revision))).metadata?.ownerReferences ?? [];
const own = (who: Person, revision: number, ...all: readonly object[]) =>
  who.patch(at(revision), { metadata: { ownerReferences: all } });

beforeEach(async () => {
  plane = await memoryPlane();
  operator = plane.as(ACCOUNT).operator(OWNER);
  dev = plane.as('dev');
  succeeds(await operator.install('web'));
});
afterEach(() => plane.stop());

describe('the records of an operator', () => {
  // In memory Helm 4 does not take over the fields that Helm 3 owns, so it changes none of them.
  for (const [client, values] of [
    ['helm3', { greeting: 'by hand' }],
    ['helm', {}],
  ] as const) {
    test(`pass through the hands of people with ${client}, and come back to it`, async () => {
      assert.deepEqual(await owners(1), [OWNER]);
      succeeds(await dev[client].upgrade('web', values));
      assert.deepEqual([await owners(1), await owners(2)], [[], []]);
      assert.equal(await plane.history('web'), 'v1 superseded, v2 deployed');
      succeeds(await operator.upgrade('web', { greeting: 'by the operator' }));
      assert.equal(await plane.history('web'), 'v1 superseded, v2 superseded, v3 deployed');
      assert.deepEqual([await owners(2), await owners(3)], [[OWNER], [OWNER]]);
    });

    test(`are uninstalled by it after people upgraded them with ${client}`, async () => {
      succeeds(await dev[client].upgrade('web', values));
      succeeds(await operator.uninstall('web'));
      assert.equal(await plane.history('web'), '');
    });
  }

  test('are rolled back by it after an upgrade of people that failed', async () => {
    fails(await dev.helm3.upgrade('web', { badPort: true }), /is invalid/);
    succeeds(await operator.rollback('web', 1));
    assert.equal(await plane.history('web'), 'v1 superseded, v2 failed, v3 deployed');
  });

  test('get their owner with its last write, though the release is frozen by then', async () => {
    succeeds(await dev.helm.upgrade('web'));
    const upgrade = await operator.start((helm) => helm.upgrade('web', { greeting: 'late' }));
    await plane.freeze('web');
    succeeds(await upgrade.finish());
    assert.equal(await plane.history('web'), 'v1 superseded, v2 superseded, v3 deployed');
  });

  test('lose their owner by anybody', async () => {
    succeeds(await own(dev, 1));
    assert.deepEqual(await owners(1), []);
  });
});

describe('an owner with which the garbage collector would take the record away', () => {
  const says = /garbage collected/;

  test('is not added while nothing is in flight, by nobody, not beside another one', async () => {
    for (const who of [dev, plane.as(ACCOUNT), plane.as('sre', 'admin')]) {
      isDenied(await untouched(plane, () => own(who, 1, OWNER, STRANGER)), 'BelayRecordProtected', says);
      isDenied(await untouched(plane, () => own(who, 1, STRANGER)), 'BelayRecordProtected', says);
      isDenied(await untouched(plane, () => own(who, 1, { ...OWNER, uid: 'another' })), 'BelayRecordProtected', says);
    }
  });

  test('is not added by others during an operation, nor to a frozen release', async () => {
    await operator.start((helm) => helm.upgrade('web', { greeting: 'two' }));
    for (const revision of [1, 2])
      isDenied(await untouched(plane, () => own(dev, revision, OWNER, STRANGER)), 'BelayRecordProtected', says);
    plane.clock.advance(600_001);
    await plane.freeze('web');
    isDenied(await untouched(plane, () => own(dev, 1, STRANGER)), 'BelayRecordProtected', says);
  });

  test('is not added after an operation by its holder', async () => {
    succeeds(await dev.helm.upgrade('web'));
    isDenied(await untouched(plane, () => own(dev, 2, STRANGER)), 'BelayRecordProtected', says);
  });
});
