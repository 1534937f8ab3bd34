import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import type { Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';

/** Locks on a Namespace, and its end while something in it is frozen. */

const FREEZE = 'belay.dev/freeze';
const NAMESPACE = 'namespace/shop';

let plane: MemoryPlane;
let dev: Person;
let sre: Person;

const locks = async (): Promise<Readonly<Record<string, string>>> =>
  (await plane.admin.get(NAMESPACE)).metadata?.annotations ?? {};

beforeEach(async () => {
  plane = await memoryPlane();
  dev = plane.as('dev');
  sre = plane.as('sre', 'admin');
  succeeds(await plane.helm.install('web'));
});
afterEach(() => plane.stop());

test('a freeze on the Namespace holds for all its releases, for install as well', async () => {
  succeeds(await dev.annotate(NAMESPACE, { [FREEZE]: 'moving house' }));
  assert.deepEqual(await locks(), { [FREEZE]: 'moving house', 'belay.dev/freeze-by': 'dev' });
  const says = [/moving house/, /by dev/, /kubectl annotate namespace shop belay\.dev\/freeze-/];
  isDenied(await untouched(plane, () => plane.helm.upgrade('web')), 'BelayFrozen', ...says);
  isDenied(await untouched(plane, () => plane.helm.install('fresh')), 'BelayFrozen', ...says);
  isDenied(await untouched(plane, () => dev.scale('deployment/web', 9)), 'BelayFrozen', ...says);
});

test('a freeze on the Namespace is lifted by a user who may unlock all its releases, and not by one who may unlock one of them', async () => {
  plane.grant('owner', ['unlock'], 'web');
  succeeds(await dev.annotate(NAMESPACE, { [FREEZE]: 'moving house' }));
  for (const name of ['dev', 'owner']) {
    const attempt = () => plane.as(name).annotate(NAMESPACE, { [FREEZE]: null });
    isDenied(await untouched(plane, attempt), 'BelayLockForbidden', new RegExp(`${name} may not unlock`));
  }
  succeeds(await sre.annotate(NAMESPACE, { [FREEZE]: null }));
  assert.deepEqual(await locks(), {});
  succeeds(await plane.helm.upgrade('web'));
});

test('nobody freezes a Namespace in another’s name', async () => {
  succeeds(await dev.annotate(NAMESPACE, { [FREEZE]: 'mine', 'belay.dev/freeze-by': 'ceo' }));
  succeeds(await dev.annotate(NAMESPACE, { 'belay.dev/freeze-by': 'ceo' }));
  assert.equal((await locks())['belay.dev/freeze-by'], 'dev');
});

test('a namespace is not deleted while a release in it is frozen by its record', async () => {
  await plane.freeze('web', 'keep it');
  const says = [/deletion of namespace shop/, /keep it/];
  isDenied(await untouched(plane, () => plane.admin.delete(NAMESPACE)), 'BelayFrozen', ...says);
  succeeds(await sre.annotate('secret/sh.helm.release.v1.web.v1', { [FREEZE]: null }));
  succeeds(await plane.admin.delete(NAMESPACE));
});

test('a namespace is not deleted while it is frozen itself, nor while a policy freezes what is in it', async () => {
  succeeds(await sre.annotate(NAMESPACE, { [FREEZE]: 'keep it' }));
  const says = [/keep it/, /kubectl annotate namespace shop/];
  isDenied(await untouched(plane, () => plane.admin.delete(NAMESPACE)), 'BelayFrozen', ...says);
  succeeds(await sre.annotate(NAMESPACE, { [FREEZE]: null }));
  await plane.policy({ freeze: { reason: 'peak season' } });
  isDenied(await untouched(plane, () => plane.admin.delete(NAMESPACE)), 'BelayFrozen', /peak season/);
  await plane.policy({ freeze: { reason: 'peak season', action: 'Warn' } });
  assert.match(succeeds(await plane.admin.delete(NAMESPACE)).said, /\[BelayFrozen\]/);
});

test('a frozen namespace without releases is deleted', async () => {
  await plane.inNamespace('empty', 'dev');
  succeeds(await plane.admin.annotate('namespace/empty', { [FREEZE]: 'why not' }));
  succeeds(await plane.admin.delete('namespace/empty'));
});
