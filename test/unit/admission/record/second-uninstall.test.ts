import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { fails, isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** An operation whose hook failed stays unfinished: Helm writes nothing more, and the same user tries again. */

let plane: MemoryPlane;
let ci: Person;
let dev: Person;

beforeEach(async () => {
  plane = await memoryPlane();
  ci = plane.as('ci');
  dev = plane.as('dev');
  succeeds(await ci.helm.install('web'));
  succeeds(await ci.helm.upgrade('web', { greeting: 'two' }));
});
afterEach(() => plane.stop());

for (const client of ['helm3', 'helm', 'nelm'] as const) {
  test(`the holder uninstalls again with ${client}, and nothing is refused`, async () => {
    await ci.helm.start((helm) => helm.uninstall('web'));
    plane.clock.advance(5_000);
    const before = plane.asked.length;
    succeeds(await ci[client].uninstall('web'));
    assert.ok(plane.asked.slice(before).every(({ response }) => response.allowed));
    assert.equal(await plane.history('web'), '');
  });
}

test('another user does not, while it is in flight', async () => {
  await ci.helm.start((helm) => helm.uninstall('web'));
  fails(await untouched(plane, () => dev.helm.uninstall('web')), /failed to delete release/);
});

test('nelm uninstalls, its newest record first, also what failed last', async () => {
  fails(await ci.helm.upgrade('web', { badPort: true }), /is invalid/);
  succeeds(await ci.nelm.uninstall('web'));
  assert.equal(await plane.history('web'), '');
});

test('what nelm has left of a release is not deleted by others', async () => {
  succeeds(await ci.helm.upgrade('web', { greeting: 'three' }));
  await ci.helm.start((helm) => helm.uninstall('web'));
  succeeds(await ci.delete('secret/sh.helm.release.v1.web.v3'));
  await plane.freeze('web');
  isDenied(await untouched(plane, () => dev.delete('secret/sh.helm.release.v1.web.v2')), 'BelayFrozen');
  succeeds(await ci.delete('secret/sh.helm.release.v1.web.v2'));
});

test('the holder declares its own operation dead without the right to break, and rolls back; nobody else does', async () => {
  const stuck = await ci.helm.start((helm) => helm.rollback('web', 1));
  assert.equal(stuck.ended, undefined);
  isDenied(await ci.helm.rollback('web', 1), 'BelayOperationInFlight', /it is yours or you may break it/);
  const dead = { 'belay.dev/break': 'its hook failed' };
  const name = 'secret/sh.helm.release.v1.web.v3';
  isDenied(await untouched(plane, () => dev.annotate(name, dead)), 'BelayLockForbidden');
  isDenied(await untouched(plane, () => ci.annotate(name, { ...dead, 'belay.dev/open': 'x' })), 'BelayBadLock');
  succeeds(await ci.annotate(name, dead));
  succeeds(await ci.helm.rollback('web', 1));
  assert.match(await plane.history('web'), /v3 pending-rollback, v4 deployed$/);
});
