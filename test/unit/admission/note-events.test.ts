import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { fails, isDenied, succeeds } from '../../memory/asking.ts';
import type { Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';

/** The Events that answers leave behind, as they are stored. */

const RECORD = 'sh.helm.release.v1.web.v1';

let plane: MemoryPlane;
let ci: Person;
let sre: Person;
const scale = (who: Person, replicas: number) => who.scale('deployment/web', replicas);
const told = async (reason: string): Promise<readonly string[]> =>
  (await plane.events())
    .filter((event) => event.reason === reason)
    .map(({ involvedObject: { kind, name } }) => `${kind} ${name}`)
    .sort();

beforeEach(async () => {
  plane = await memoryPlane();
  ci = plane.as('ci');
  sre = plane.as('sre', 'admin');
});
afterEach(() => plane.stop());

test('a refused upgrade leaves one Event on the record, with the user who tried', async () => {
  succeeds(await plane.helm.install('web'));
  await plane.freeze('web', 'black friday');
  isDenied(await plane.helm.upgrade('web'), 'BelayFrozen');
  const [event, ...more] = (await plane.events()).filter(({ reason }) => reason === 'FrozenWriteRefused');
  assert.deepEqual(more, []);
  assert.deepEqual(
    [event?.type, event?.involvedObject.kind, event?.involvedObject.name],
    ['Warning', 'Secret', RECORD],
  );
  assert.equal(
    event?.message,
    'upgrade of release web in namespace shop refused: it is frozen: "black friday" (tried by ci)',
  );
});

test('twenty refusals in a minute leave one, and one more after it counts them all', async () => {
  succeeds(await plane.helm.install('web'));
  for (let replicas = 10; replicas < 30; replicas += 1) isDenied(await scale(ci, replicas), 'BelayDrift');
  assert.deepEqual(await told('DriftRefused'), ['Deployment web', `Secret ${RECORD}`]);
  plane.clock.advance(61_000);
  isDenied(await scale(ci, 30), 'BelayDrift');
  const counts = (await plane.events()).filter(({ reason }) => reason === 'DriftRefused').map(({ count }) => count);
  assert.deepEqual(counts, [21, 21]);
});

test('changes by hand while the release is open are seen, with the reason', async () => {
  succeeds(await plane.helm.install('web'));
  const open = { 'belay.dev/open': 'migration', 'belay.dev/open-until': plane.clock.time(3_600_000) };
  succeeds(await sre.annotate(`secret/${RECORD}`, open));
  succeeds(await ci.patch('deployment/web', { spec: { minReadySeconds: 5 } }));
  succeeds(await scale(ci, 3));
  const used = (await plane.events()).find(
    ({ reason, involvedObject }) => reason === 'OpenWindowUsed' && involvedObject.kind === 'Deployment',
  );
  assert.equal(used?.type, 'Normal');
  assert.match(used?.message ?? '', /by ci.*migration/);
  const opened = (await plane.events()).find(({ reason }) => reason === 'ReleaseOpened');
  assert.match(opened?.message ?? '', /^sre wrote .*migration/);
});

test('to break an operation and to take it over is seen on the records', async () => {
  succeeds(await plane.helm.install('web'));
  await plane.helm.start((helm) => helm.upgrade('web'));
  const stuck = 'sh.helm.release.v1.web.v2';
  isDenied(await plane.as('dev').helm.rollback('web', 1), 'BelayOperationInFlight');
  assert.deepEqual(await told('OperationRefused'), [`Secret ${stuck}`]);
  succeeds(await sre.annotate(`secret/${stuck}`, { 'belay.dev/break': 'its job was cancelled' }));
  succeeds(await ci.helm.rollback('web', 1));
  assert.deepEqual(await told('OperationBroken'), [`Secret ${stuck}`]);
  assert.deepEqual(await told('OperationTakenOver'), ['Secret sh.helm.release.v1.web.v3']);
});

test('a dry run leaves no Event', async () => {
  succeeds(await plane.helm.install('web'));
  const patch = { spec: { replicas: 9 } };
  succeeds(await ci.patch('deployment/web', patch, { dryRun: 'All' }));
  await plane.policy({ drift: { dryRun: 'Deny' } });
  isDenied(await ci.patch('deployment/web', patch, { dryRun: 'All' }), 'BelayDrift');
  assert.deepEqual(await plane.events(), []);
});

test('refusals on every object of a large release do not fill its namespace with Events', async () => {
  const extraConfig = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`c${i}`, 'x']));
  succeeds(await plane.helm.install('web', { extraConfig }));
  for (const key of Object.keys(extraConfig)) fails(await ci.delete(`configmap/web-${key}`), /BelayDrift/);
  const left = await told('DriftRefused');
  assert.equal(left.length, 1 + 10);
  assert.equal(left.filter((object) => object.startsWith('Secret')).length, 1);
});
