import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { fails, isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';
import { payloadIn, toRecordObject } from '../../../memory/record.ts';

/** What people read who are refused by way of a client that does something else than they asked for. */

const FLUX = 'system:serviceaccount:flux-system:helm-controller';

let plane: MemoryPlane;
let flux: Person;

beforeEach(async () => {
  plane = await memoryPlane();
  flux = plane.as(FLUX);
  succeeds(await plane.helm.install('web'));
});
afterEach(() => plane.stop());

/** As Flux ends an operation of which nothing was heard, before it begins its own. */
const unlock = async (revision: number) => {
  const record = await flux.get(`secret/sh.helm.release.v1.web.v${revision}`);
  const payload = payloadIn({ ...record, kind: 'Secret' });
  const failed = { ...payload, info: { ...payload.info, status: 'failed' } };
  return flux.replace(toRecordObject(failed, 'Secret', 'shop', { modifiedAt: '1' }));
};

test('whoever was overtaken by way of the unlock of Flux learns by which revision and by whom', async () => {
  const slow = await plane.helm.start((helm) => helm.upgrade('web'));
  plane.clock.advance(600_001);
  succeeds(await unlock(2));
  succeeds(await flux.helm.upgrade('web'));
  isDenied(
    await slow.finish(),
    'BelayFenced',
    /write of revision 2/,
    new RegExp(`revision 3 by ${FLUX} has overtaken it`),
  );
  assert.equal(await plane.history('web'), 'v1 superseded, v2 failed, v3 deployed');
});

test('a failed revision that nothing has overtaken is refused as ever', async () => {
  fails(await plane.helm.upgrade('web', { badPort: true }), /is invalid/);
  const record = await flux.get('secret/sh.helm.release.v1.web.v2');
  const payload = payloadIn({ ...record, kind: 'Secret' });
  for (const status of ['deployed', 'pending-upgrade']) {
    const forged = toRecordObject({ ...payload, info: { ...payload.info, status } }, 'Secret', 'shop', {});
    isDenied(await untouched(plane, () => flux.replace(forged)), 'BelayRecordProtected');
  }
});

test('whoever upgrades a frozen release with a short history learns that Helm prunes before it begins', async () => {
  succeeds(await plane.helm.upgrade('web', { greeting: 'two' }));
  await plane.freeze('web');
  const attempt = () => plane.helm.upgrade('web', { greeting: 'three' }, { historyMax: 2 });
  isDenied(await untouched(plane, attempt), 'BelayFrozen', /prune the history before they begin/, /audit week/);
});

test('whoever deletes an object of a frozen release is told by a warning too, for clients that keep the message', async () => {
  await plane.freeze('web');
  const { said } = await flux.delete('service/web');
  assert.equal(said.match(/deletion of Service web in namespace shop refused/g)?.length, 2);
});

test('an install that a quota or another webhook keeps from its claim says what the API server said', async () => {
  plane.server.forbid(
    ({ manager }, { method, path }) => manager === 'belay' && method === 'POST' && path.endsWith('/leases'),
  );
  const refused = isDenied(
    await plane.helm.install('next'),
    'BelayUnavailable',
    /the claim on the release could not be written/,
  );
  assert.match(refused, /leases.* is forbidden/);
  assert.equal(await plane.history('next'), '');
});
