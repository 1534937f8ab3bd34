import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fails, isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Helm, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';
import { type RecordKind, recordName } from '../../../memory/record.ts';

/** Helm prunes whatever is not deployed: with a short history the newest revision as well, where it failed. */

const PIN = 'belay.dev/pin';

for (const [kind, client] of [
  ['Secret', 'helm3'],
  ['Secret', 'helm'],
  ['ConfigMap', 'helmInConfigMaps'],
] as const satisfies readonly (readonly [RecordKind, string])[]) {
  describe(`after an upgrade that failed, with a short history, ${client}, records in ${kind}s`, () => {
    let plane: MemoryPlane;
    let dev: Person;
    let helm: Helm;
    const at = (revision: number): string => `${kind.toLowerCase()}/${recordName('web', revision)}`;

    beforeEach(async () => {
      plane = await memoryPlane();
      dev = plane.as('dev');
      helm = plane.as('ci')[client];
      succeeds(await helm.install('web'));
      fails(await helm.upgrade('web', { badPort: true }), /Service "web" is invalid/);
      assert.equal(await plane.history('web'), 'v1 deployed, v2 failed');
    });
    afterEach(() => plane.stop());

    for (const historyMax of [1, 2]) {
      test(`the next upgrade passes, by anybody, with --history-max ${historyMax}`, async () => {
        succeeds(await dev[client].upgrade('web', { greeting: 'two' }, { historyMax }));
        assert.equal(await plane.history('web'), 'v1 superseded, v3 deployed');
      });

      test(`the next rollback passes, by anybody, with --history-max ${historyMax}`, async () => {
        succeeds(await dev[client].rollback('web', 1, historyMax));
        assert.equal(await plane.history('web'), 'v1 superseded, v3 deployed');
      });
    }

    test('several that fail in a row, and then one that does not', async () => {
      for (let round = 0; round < 3; round += 1)
        fails(await helm.upgrade('web', { badPort: true }, { historyMax: 2 }), /is invalid/);
      assert.equal(await plane.history('web'), 'v1 deployed, v5 failed');
      succeeds(await helm.upgrade('web', { greeting: 'two' }, { historyMax: 2 }));
      assert.equal(await plane.history('web'), 'v1 superseded, v6 deployed');
    });

    test('it is deleted by hand, and the next upgrade takes its number', async () => {
      succeeds(await dev.delete(at(2)));
      succeeds(await helm.upgrade('web', { greeting: 'two' }));
      assert.equal(await plane.history('web'), 'v1 superseded, v2 deployed');
    });

    test('a pin that stands on it alone is not pruned, and the refusal says so', async () => {
      succeeds(await dev.annotate(at(2), { [PIN]: '1.4.x' }));
      const says = [
        /pin is on no other revision and would be lost/,
        new RegExp(`annotate ${kind.toLowerCase()} -n shop`),
      ];
      const upgrade = () => dev[client].upgrade('web', {}, { historyMax: 2 });
      const said = isDenied(await untouched(plane, upgrade), 'BelayRecordProtected', ...says);
      assert.doesNotMatch(said, /helm uninstall|lose the release/);
      succeeds(await dev.annotate(at(1), { [PIN]: '1.4.x' }));
      succeeds(await upgrade());
      assert.deepEqual((await plane.locks('web')).at(-1), { [PIN]: '1.4.x' });
    });

    test('a frozen release loses it neither by pruning nor by hand', async () => {
      await plane.freeze('web');
      isDenied(await untouched(plane, () => helm.upgrade('web', {}, { historyMax: 1 })), 'BelayFrozen');
      isDenied(await untouched(plane, () => dev.delete(at(2))), 'BelayFrozen');
    });

    test('what is not deployed goes, and what runs stays', async () => {
      succeeds(await dev.delete(at(2)));
      isDenied(await untouched(plane, () => dev.delete(at(1))), 'BelayRecordProtected', /it is the deployed revision/);
    });
  });

  describe(`after a first install that failed, ${client}, records in ${kind}s`, () => {
    let plane: MemoryPlane;
    let helm: Helm;

    beforeEach(async () => {
      plane = await memoryPlane();
      helm = plane.as('ci')[client];
      fails(await helm.install('web', { badPort: true }), /is invalid/);
    });
    afterEach(() => plane.stop());

    test('upgrade --install passes with --history-max 1', async () => {
      succeeds(await helm.upgrade('web', { badPort: false }, { install: true, historyMax: 1 }));
      assert.equal(await plane.history('web'), 'v2 deployed');
    });

    test('its record is deleted by hand, and the release installed anew', async () => {
      succeeds(await plane.as('dev').delete(`${kind.toLowerCase()}/${recordName('web', 1)}`));
      succeeds(await helm.install('web', { badPort: false }));
    });
  });
}

describe('after a rollback that failed, which left nothing deployed', () => {
  let plane: MemoryPlane;

  beforeEach(async () => {
    plane = await memoryPlane();
    succeeds(await plane.helm.install('web'));
    fails(await plane.helm.upgrade('web', { badPort: true }), /is invalid/);
    succeeds(await plane.helm.upgrade('web', { greeting: 'three' }));
    fails(await plane.helm.rollback('web', 2), /ROLLBACK FAILED/);
    assert.equal(await plane.history('web'), 'v1 superseded, v2 failed, v3 superseded, v4 failed');
  });
  afterEach(() => plane.stop());

  test('the failed revision stays, for without it nobody knew what runs, and its objects stay guarded', async () => {
    const dev = plane.as('dev');
    const attempt = () => dev.delete('secret/sh.helm.release.v1.web.v4');
    isDenied(
      await untouched(plane, attempt),
      'BelayRecordProtected',
      /revision 3 ran last/,
      /helm rollback web 3 -n shop/,
    );
    isDenied(await dev.patch('configmap/web', { data: { GREETING: 'mine' } }), 'BelayDrift');
  });

  test('an upgrade passes, however short the history', async () => {
    succeeds(await plane.helm.upgrade('web', { greeting: 'five', badPort: false }, { historyMax: 1 }));
    assert.equal(await plane.history('web'), 'v5 deployed');
  });
});
