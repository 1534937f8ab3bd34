import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** Writes that Belay cannot judge, because the manifest of the release cannot be read. */

let plane: MemoryPlane;
let dev: Person;
let robot: Person;

const BELAY = 'system:serviceaccount:belay-system:belay';

beforeEach(async () => {
  plane = await memoryPlane();
  dev = plane.as('dev');
  robot = plane.as('system:serviceaccount:shop:robot');
  succeeds(await plane.helm.install('web'));
  plane.server.forbid(({ user }, { path }) => user.username === BELAY && path.includes('/sh.helm.release.v1.'));
});
afterEach(() => plane.stop());

const edit = (person: Person) => person.patch('deployment/web', { spec: { minReadySeconds: 7 } });

describe('a write that cannot be judged', () => {
  test('passes unchecked where the release is not frozen, and says so', async () => {
    succeeds(await edit(dev));
    assert.match(plane.asked.at(-1)?.response.warnings?.[0] ?? '', /pass unchecked/);
    succeeds(await dev.scale('deployment/web', 5));
  });

  test('is refused to every user where the release is frozen', async () => {
    await plane.freeze('web');
    for (const person of [dev, robot]) {
      isDenied(await untouched(plane, () => edit(person)), 'BelayUnavailable', /release shop\/web is frozen/);
      isDenied(await untouched(plane, () => person.scale('deployment/web', 5)), 'BelayUnavailable', /is frozen/);
      isDenied(await untouched(plane, () => person.delete('deployment/web')), 'BelayUnavailable');
    }
  });

  test('is refused for an object that is given the marks of a frozen release, or loses them', async () => {
    await plane.freeze('web');
    const marks = { 'meta.helm.sh/release-name': null, 'meta.helm.sh/release-namespace': null };
    const strip = () => dev.patch('deployment/web', { metadata: { annotations: marks } });
    isDenied(await untouched(plane, strip), 'BelayUnavailable', /is frozen/);
  });

  test('passes unchecked where the policy only warns of a freeze', async () => {
    await plane.policy({ freeze: { action: 'Warn' } });
    await plane.freeze('web');
    succeeds(await edit(dev));
  });
});

test('a write that changes nothing of a frozen release passes, as always', async () => {
  await plane.freeze('web');
  succeeds(await dev.patch('deployment/web', {}));
});
