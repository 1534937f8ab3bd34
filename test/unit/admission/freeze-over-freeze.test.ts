import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import type { Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';

/** A freeze that is written while another one is in force, on each object that can carry one. */

const FREEZE = 'belay.dev/freeze';
const BY = 'belay.dev/freeze-by';
const UNTIL = 'belay.dev/freeze-until';
const MINUTE_MS = 60_000;

for (const [place, helm] of [
  ['secret/sh.helm.release.v1.web.v1', 'helm'],
  ['configmap/sh.helm.release.v1.web.v1', 'helmInConfigMaps'],
  ['namespace/shop', 'helm3'],
] as const) {
  describe(`a freeze over another one on ${place}`, () => {
    let plane: MemoryPlane;
    let dev: Person;
    let sre: Person;
    const locks = async (): Promise<object> => {
      const annotations = (await plane.admin.get(place)).metadata?.annotations ?? {};
      return Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith('belay.dev/')));
    };
    const soon = (): string => plane.clock.time(MINUTE_MS);

    beforeEach(async () => {
      plane = await memoryPlane();
      dev = plane.as('dev');
      sre = plane.as('sre', 'admin');
      succeeds(await plane.as('ci')[helm].install('web'));
    });
    afterEach(() => plane.stop());

    test('does not end when the older one would have ended', async () => {
      succeeds(await dev.annotate(place, { [FREEZE]: 'short', [UNTIL]: soon() }));
      succeeds(await sre.annotate(place, { [FREEZE]: 'black friday' }));
      assert.deepEqual(await locks(), { [FREEZE]: 'black friday', [BY]: 'sre' });
      plane.clock.advance(2 * MINUTE_MS);
      isDenied(await plane.as('ci')[helm].upgrade('web'), 'BelayFrozen', /black friday/, /by sre/);
    });

    test('does not end then either where it is applied together with the older end', async () => {
      const until = soon();
      succeeds(await dev.annotate(place, { [FREEZE]: 'short', [UNTIL]: until }));
      succeeds(await sre.annotate(place, { [FREEZE]: 'black friday', [UNTIL]: until, [BY]: 'dev' }));
      assert.deepEqual(await locks(), { [FREEZE]: 'black friday', [BY]: 'sre' });
    });

    test('is not written by edit over the freeze of an administrator, with a later end or without one', async () => {
      succeeds(await sre.annotate(place, { [FREEZE]: 'black friday', [UNTIL]: soon() }));
      for (const annotations of [
        { [FREEZE]: 'mine' },
        { [FREEZE]: 'mine', [BY]: 'sre' },
        { [FREEZE]: 'mine', [UNTIL]: plane.clock.time(10 * MINUTE_MS) },
      ]) {
        isDenied(
          await untouched(plane, () => dev.annotate(place, annotations)),
          'BelayLockForbidden',
          /dev may not unlock/,
          /the freeze in force is by sre: another reason would replace it/,
        );
      }
      succeeds(await dev.annotate(place, { [UNTIL]: plane.clock.time(10 * MINUTE_MS) }));
      assert.deepEqual(await locks(), {
        [FREEZE]: 'black friday',
        [BY]: 'sre',
        [UNTIL]: plane.clock.time(10 * MINUTE_MS),
      });
    });

    test('is written by the user who froze before, and after the end of the older one by every user who may lock', async () => {
      succeeds(await dev.annotate(place, { [FREEZE]: 'a typo', [UNTIL]: soon() }));
      succeeds(await dev.annotate(place, { [FREEZE]: 'the word', [UNTIL]: plane.clock.time(2 * MINUTE_MS) }));
      plane.clock.advance(3 * MINUTE_MS);
      succeeds(await plane.as('eve').annotate(place, { [FREEZE]: 'another' }));
      assert.deepEqual(await locks(), { [FREEZE]: 'another', [BY]: 'eve' });
    });
  });
}
