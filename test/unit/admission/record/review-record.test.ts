import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fails, isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Operation, Outcome, Person, Started } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';
import { payloadIn, toRecordObject } from '../../../memory/record.ts';

/** Operations of Helm, from the bytes of the review to what is stored. */

const STALE_AFTER_MS = 600_000;

let plane: MemoryPlane;
let dev: Person;
let sre: Person;

beforeEach(async () => {
  plane = await memoryPlane({ staleAfterMs: STALE_AFTER_MS });
  dev = plane.as('dev');
  sre = plane.as('sre', 'admin');
});
afterEach(() => plane.stop());

const start = async (operation: Operation): Promise<Started> => {
  const started = await plane.helm.start(operation);
  assert.equal(started.ended, undefined);
  return started;
};
const refused = async (attempt: () => Promise<Outcome>, ...says: readonly RegExp[]): Promise<string> =>
  isDenied(await untouched(plane, attempt), 'BelayOperationInFlight', ...says);
const breakIt = (revision: number): Promise<Outcome> =>
  sre.annotate(`secret/sh.helm.release.v1.web.v${revision}`, { 'belay.dev/break': 'the runner is gone' });

test('every operation of one Helm alone runs to its end, with a claim in the name of its user', async () => {
  succeeds(await plane.helm.install('web'));
  succeeds(await plane.helm.upgrade('web', { greeting: 'two' }));
  succeeds(await plane.helm.test('web'));
  succeeds(await plane.helm.rollback('web', 1));
  fails(await plane.helm.upgrade('web', { badPort: true }, { atomic: true }), /Service "web" is invalid/);
  assert.equal(await plane.history('web'), 'v1 superseded, v2 superseded, v3 superseded, v4 failed, v5 deployed');
  const claim = await plane.admin.get('lease/belay.web');
  assert.equal((claim.spec as { holderIdentity: string }).holderIdentity, 'ci');
  assert.equal(claim.metadata?.annotations?.['belay.dev/operation'], 'rollback');
  succeeds(await plane.helm.uninstall('web', true));
  succeeds(await plane.helm.upgrade('web', {}, { install: true }));
  for (let round = 0; round < 3; round += 1) succeeds(await plane.helm.upgrade('web', {}, { historyMax: 2 }));
  assert.equal(await plane.history('web'), 'v8 superseded, v9 deployed');
  succeeds(await plane.helm.uninstall('web'));
  assert.equal(await plane.history('web'), '');
});

test('an upgrade starts although somebody writes the Lease in a loop', async () => {
  succeeds(await plane.helm.install('web'));
  const path = '/apis/coordination.k8s.io/v1/namespaces/shop/leases/belay.web';
  const writer = { user: { username: 'system:apiserver', groups: [] }, manager: 'loop' };
  let [taken, disturbed] = [0, 0];
  plane.server.forbid(({ manager }, { method, path: asked }) => {
    const isClaim = manager === 'belay' && method === 'PUT' && asked === path;
    if (!isClaim) return false;
    taken += 1;
    if (disturbed === 5) return false;
    disturbed += 1;
    const body = { metadata: { annotations: { loop: String(disturbed) } } };
    void plane.server.answer(writer, { method: 'PATCH', path, contentType: 'application/merge-patch+json', body });
    return false;
  });
  succeeds(await plane.helm.upgrade('web', { greeting: 'two' }));
  assert.deepEqual([taken, disturbed], [6, 5]);
});

describe('while an operation is in flight', () => {
  const operations: Readonly<Record<string, Operation>> = {
    'upgrade to revision 2': (helm) => helm.upgrade('web', { greeting: 'new' }),
    'rollback to revision 2': (helm) => helm.rollback('web', 1),
    'uninstall of revision 1': (helm) => helm.uninstall('web'),
  };
  for (const [what, operation] of Object.entries(operations)) {
    test(`${what}: others start nothing, nor does its holder start a second, and it runs to its end`, async () => {
      succeeds(await plane.helm.install('web'));
      const started = await start(operation);
      const by = new RegExp(`${what} by ci`);
      for (const who of [dev, plane.as('ci')]) {
        await refused(() => who.helm.rollback('web', 1), by, /belay\.dev\/break/);
        fails(await untouched(plane, () => dev.helm.uninstall('web')), /failed to delete release|already deleted/);
      }
      succeeds(await started.finish());
    });
  }

  test('a first install: rollback and uninstall are refused, and Helm itself refuses the upgrade', async () => {
    await start((helm) => helm.install('web'));
    await refused(() => dev.helm.rollback('web', 1), /install to revision 1 by ci/);
    fails(await untouched(plane, () => dev.helm.upgrade('web')), /another operation/);
  });

  test('whose record is not there yet: the claim alone refuses others, for ten seconds', async () => {
    succeeds(await plane.helm.install('web'));
    const stored = payloadIn(await dev.get('secret/sh.helm.release.v1.web.v1'));
    const payload = { ...stored, version: 2, info: { ...stored.info, status: 'pending-upgrade' } };
    // Another webhook, which is asked after Belay, takes its time over this CREATE, or refuses it.
    const { response } = await plane.admit('ci', toRecordObject(payload, 'Secret', 'shop', {}));
    assert.ok(response.allowed);
    plane.clock.advance(9_000);
    await refused(() => dev.helm.rollback('web', 1), /upgrade to revision 2 by ci/);
    plane.clock.advance(2_000);
    succeeds(await dev.helm.rollback('web', 1));
  });
});

describe('an operation that is silent', () => {
  beforeEach(async () => {
    succeeds(await plane.helm.install('web'));
  });

  test('is in flight to the last second, then rolled back by somebody else, and noted', async () => {
    await start((helm) => helm.upgrade('web', { greeting: 'doomed' }));
    plane.clock.advance(STALE_AFTER_MS - 1_000);
    await refused(() => dev.helm.rollback('web', 1), /stale from/);
    plane.clock.advance(1_000);
    succeeds(await dev.helm.rollback('web', 1));
    assert.equal(await plane.history('web'), 'v1 superseded, v2 pending-upgrade, v3 deployed');
    const taken = (await plane.events()).find(({ reason }) => reason === 'OperationTakenOver');
    assert.match(taken?.message ?? '', /rollback to revision 3 by dev takes over revision 2, which is stale/);
    succeeds(await dev.helm.upgrade('web'));
  });

  test('goes on if nobody has overtaken it', async () => {
    const slow = await start((helm) => helm.upgrade('web', { greeting: 'slow' }));
    plane.clock.advance(STALE_AFTER_MS + 1_000);
    succeeds(await slow.finish());
    assert.equal(await plane.history('web'), 'v1 superseded, v2 deployed');
  });

  test('an uninstall is finished by the next one', async () => {
    await start((helm) => helm.uninstall('web'));
    fails(await untouched(plane, () => dev.helm.uninstall('web')), /failed to delete release/);
    plane.clock.advance(STALE_AFTER_MS + 1_000);
    succeeds(await dev.helm.uninstall('web'));
    assert.equal(await plane.history('web'), '');
  });

  test('counts as dead after the time that the policy says', async () => {
    await plane.policy({ operations: { staleAfter: '60s' } });
    await start((helm) => helm.upgrade('web'));
    plane.clock.advance(59_000);
    await refused(() => dev.helm.rollback('web', 1), /stale from/);
    plane.clock.advance(2_000);
    succeeds(await dev.helm.rollback('web', 1));
  });
});

describe('an operation that was declared dead', () => {
  let overtaken: Started;

  beforeEach(async () => {
    succeeds(await plane.helm.install('web', { extraConfig: { a: '1' } }));
    overtaken = await start((helm) => helm.upgrade('web', { greeting: 'late' }));
  });

  test('is so only by a user with the right', async () => {
    const dead = { 'belay.dev/break': 'the runner is gone' };
    const attempt = () => dev.annotate('secret/sh.helm.release.v1.web.v2', dead);
    isDenied(await untouched(plane, attempt), 'BelayLockForbidden', /dev may not break/);
    succeeds(await breakIt(2));
    const broken = (await plane.events()).find(({ reason }) => reason === 'OperationBroken');
    assert.match(broken?.message ?? '', /sre wrote .*the runner is gone/);
  });

  test('and was overtaken writes nothing any more: the release stays as it was rolled back', async () => {
    succeeds(await breakIt(2));
    succeeds(await dev.helm.rollback('web', 1));
    fails(await untouched(plane, () => overtaken.finish()), /\[Belay(Drift|Fenced|RecordProtected)\]/);
    assert.equal(await plane.history('web'), 'v1 superseded, v2 pending-upgrade, v3 deployed');
    assert.ok(await dev.get('configmap/web-a'));
    succeeds(await plane.helm.upgrade('web'));
  });

  test('and was not overtaken changes no objects; it may say that it failed, which removes its mark', async () => {
    succeeds(await breakIt(2));
    isDenied(await overtaken.finish(), 'BelayDrift', /GREETING: "hello" -> "late"/);
    assert.deepEqual((await dev.get('configmap/web')).data, { GREETING: 'hello' });
    assert.equal(await plane.history('web'), 'v1 deployed, v2 failed');
    assert.deepEqual((await plane.locks('web')).at(-1), {});
    succeeds(await dev.helm.upgrade('web'));
  });
});

describe('a frozen release', () => {
  test('upgrade, rollback, uninstall and pruning fail, and leave everything as it was', async () => {
    succeeds(await plane.helm.install('web'));
    succeeds(await plane.helm.upgrade('web', { greeting: 'two' }));
    await plane.freeze('web');
    const why = [/audit week/, /by dev/, /belay\.dev\/freeze-/];
    const frozen = async (attempt: () => Promise<Outcome>) =>
      isDenied(await untouched(plane, attempt), 'BelayFrozen', ...why);
    await frozen(() => plane.helm.upgrade('web', { greeting: 'three' }));
    await frozen(() => plane.helm.upgrade('web', {}, { install: true }));
    await frozen(() => plane.helm.upgrade('web', {}, { historyMax: 2 }));
    await frozen(() => plane.helm.rollback('web', 1));
    await frozen(() => plane.helm.rollback('web', 1, 2));
    for (const keepHistory of [false, true])
      fails(await untouched(plane, () => plane.helm.uninstall('web', keepHistory)), /failed to delete release/);
    // A test in another second than the install, because Helm notes the second of each write.
    plane.clock.advance(1_000);
    succeeds(await plane.helm.test('web'));
    assert.equal((await plane.locks('web')).at(-1)?.['belay.dev/freeze'], 'audit week');
  });

  test('that was uninstalled with its history kept is not installed anew', async () => {
    succeeds(await plane.helm.install('web'));
    succeeds(await plane.helm.uninstall('web', true));
    await plane.freeze('web');
    for (const attempt of [
      () => plane.helm.install('web', {}, { replace: true }),
      () => plane.helm.upgrade('web', {}, { install: true }),
      () => plane.helm.uninstall('web'),
    ])
      isDenied(await untouched(plane, attempt), 'BelayFrozen');
  });

  test('names the revision that holds the freeze, and no other release', async () => {
    for (const release of ['web', 'api']) succeeds(await plane.helm.install(release));
    succeeds(await plane.helm.upgrade('web'));
    for (const revision of [1, 2]) {
      const record = `secret/sh.helm.release.v1.web.v${revision}`;
      succeeds(await dev.annotate(record, { 'belay.dev/freeze': 'black friday' }));
      const says = [/black friday/, /by dev/, new RegExp(`web\\.v${revision}`)];
      isDenied(await untouched(plane, () => plane.helm.upgrade('web')), 'BelayFrozen', ...says);
      isDenied(await untouched(plane, () => dev.delete(record)), 'BelayFrozen');
      succeeds(await plane.helm.upgrade('api'));
      succeeds(await sre.annotate(record, { 'belay.dev/freeze': null }));
    }
  });
});

describe('versions', () => {
  const version = (text: string, name = 'shop') => ({ chart: { name, version: text } });
  const lockAll = async (release: string, locks: Readonly<Record<string, string | null>>, who = dev) => {
    const revisions = (await plane.locks(release)).length;
    succeeds(await who.annotate(`secret/sh.helm.release.v1.${release}.v${revisions}`, locks));
  };

  test('a pinned release moves inside its pin, and the pin outlives upgrades', async () => {
    succeeds(await plane.helm.install('web'));
    await lockAll('web', { 'belay.dev/pin': '1.4.x' });
    succeeds(await plane.helm.upgrade('web', {}, version('1.4.7')));
    const says = [/1\.4\.x/, /shop-1\.5\.0/, /belay\.dev\/pin-/];
    const attempt = () => plane.helm.upgrade('web', {}, version('1.5.0'));
    isDenied(await untouched(plane, attempt), 'BelayPinned', ...says);
    isDenied(await plane.helm.upgrade('web', {}, version('1.4.8', 'other')), 'BelayPinned', /another one/);
    assert.deepEqual(await plane.locks('web'), [{}, { 'belay.dev/pin': '1.4.x' }]);
    await lockAll('web', { 'belay.dev/pin': null }, sre);
    succeeds(await attempt());
  });

  test('a release that may not be downgraded is neither upgraded nor rolled back below what it runs', async () => {
    succeeds(await plane.helm.install('web'));
    await lockAll('web', { 'belay.dev/no-downgrade': 'true' });
    succeeds(await plane.helm.upgrade('web', {}, version('1.6.0')));
    isDenied(await plane.helm.upgrade('web'), 'BelayDowngrade', /shop-1\.4\.0/, /shop-1\.6\.0/);
    isDenied(await plane.helm.rollback('web', 1), 'BelayDowngrade');
    const failed = await plane.helm.upgrade('web', { badPort: true }, { ...version('1.7.0'), atomic: true });
    assert.doesNotMatch(fails(failed, /UPGRADE FAILED/), /belay\.dev/);
    assert.equal(await plane.history('web'), 'v1 superseded, v2 superseded, v3 failed, v4 deployed');
  });

  test('a rollback that failed does not take the floor away', async () => {
    succeeds(await plane.helm.install('web'));
    await plane.helm.upgrade('web', { badPort: true }, version('1.5.0'));
    succeeds(await plane.helm.upgrade('web', {}, version('1.6.0')));
    fails(await plane.helm.rollback('web', 2), /ROLLBACK FAILED/);
    assert.equal(await plane.history('web'), 'v1 superseded, v2 failed, v3 superseded, v4 failed');
    await lockAll('web', { 'belay.dev/no-downgrade': 'true' });
    isDenied(await plane.helm.rollback('web', 1), 'BelayDowngrade', /below shop-1\.6\.0, which was deployed last/);
    succeeds(await plane.helm.rollback('web', 3));
  });

  test('a pin on the Namespace holds for an install', async () => {
    succeeds(await plane.admin.annotate('namespace/shop', { 'belay.dev/pin': '>=2' }));
    isDenied(await untouched(plane, () => plane.helm.install('web')), 'BelayPinned', /annotate namespace/);
    succeeds(await plane.helm.install('web', {}, version('2.1.0')));
  });
});

test('of two that start at once, one wins', async () => {
  succeeds(await plane.helm.install('web'));
  const outcomes = await Promise.all([plane.helm.rollback('web', 1), dev.helm.upgrade('web', { greeting: 'dev' })]);
  assert.equal(outcomes.filter(({ ok }) => ok).length, 1, outcomes.map(({ said }) => said).join('\n'));
});

test('a record whose objects live elsewhere takes the right to lock there', async () => {
  await plane.inNamespace('apps', 'owner');
  succeeds(await plane.helm.install('web'));
  const stored = payloadIn(await dev.get('secret/sh.helm.release.v1.web.v1'));
  const forged = toRecordObject({ ...stored, name: 'far', namespace: 'apps' }, 'Secret', 'shop', {});
  const says = /its objects are in namespace apps, where dev may not lock/;
  isDenied(await untouched(plane, () => dev.create(forged)), 'BelayRecordProtected', says);
  await plane.inNamespace('apps', 'dev');
  succeeds(await dev.create(forged));
});

test('a namespace that is being deleted takes its releases along, even with an operation in flight', async () => {
  succeeds(await plane.helm.install('web'));
  await start((helm) => helm.upgrade('web'));
  succeeds(await plane.admin.delete('namespace/shop'));
  succeeds(await dev.delete('secret/sh.helm.release.v1.web.v2'));
  succeeds(await dev.delete('service/web'));
});
