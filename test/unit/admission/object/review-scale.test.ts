import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** Writes of `/scale`, whose reviews carry neither labels nor annotations. */

let plane: MemoryPlane;
let dev: Person;
let robot: Person;

beforeEach(async () => {
  plane = await memoryPlane();
  dev = plane.as('dev');
  robot = plane.as('system:serviceaccount:shop:robot');
  succeeds(await plane.helm.install('web'));
  succeeds(await plane.helm.install('blank', { replicas: null }));
});
afterEach(() => plane.stop());

const isDeployment = (path: string): boolean => path.includes('/deployments/');
const BELAY = 'system:serviceaccount:belay-system:belay';

test('is refused where the chart sets the number, with the numbers', async () => {
  isDenied(await untouched(plane, () => dev.scale('deployment/web', 5)), 'BelayDrift', /spec\.replicas: 2 -> 5/);
  isDenied(await untouched(plane, () => dev.scale('deployment/web', 0)), 'BelayDrift', /spec\.replicas: 2 -> 0/);
  isDenied(await untouched(plane, () => robot.scale('deployment/web', 5)), 'BelayDrift');
});

test('to the number that is there passes', async () => {
  succeeds(await dev.scale('deployment/web', 2));
});

test('passes for a service account where the chart sets no number, and is refused to a person', async () => {
  succeeds(await robot.scale('deployment/blank', 4));
  isDenied(await untouched(plane, () => dev.scale('deployment/blank', 5)), 'BelayDrift');
});

test('is refused on a frozen release; an autoscaler goes on with what the chart leaves to it', async () => {
  for (const release of ['web', 'blank']) await plane.freeze(release);
  isDenied(await untouched(plane, () => dev.scale('deployment/blank', 4)), 'BelayFrozen');
  isDenied(await untouched(plane, () => robot.scale('deployment/web', 4)), 'BelayFrozen');
  succeeds(await robot.scale('deployment/blank', 4));
});

test('of the holder of an operation passes', async () => {
  await plane.helm.start((helm) => helm.upgrade('web', { replicas: 5 }));
  succeeds(await plane.as('ci').scale('deployment/web', 7));
  isDenied(await untouched(plane, () => dev.scale('deployment/web', 9)), 'BelayDrift');
});

test('of an ignored path passes', async () => {
  const paths = ['/spec/replicas'];
  await plane.policy({ drift: { ignore: [{ group: 'apps', kind: 'Deployment', name: 'w*', paths }] } });
  succeeds(await dev.scale('deployment/web', 9));
});

test('of an object that belongs to no release passes', async () => {
  const mine = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'mine' }, spec: { replicas: 1 } };
  succeeds(await dev.create(mine));
  succeeds(await dev.scale('deployment/mine', 3));
});

test('of a parent that Belay may not read passes, and the audit log says so', async () => {
  plane.server.forbid(({ user }, { path }) => user.username === BELAY && isDeployment(path));
  succeeds(await dev.scale('deployment/web', 9));
  assert.match(plane.asked.at(-1)?.response.auditAnnotations?.unchecked ?? '', /may not read the scaled object/);
});
