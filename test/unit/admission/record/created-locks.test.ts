import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Helm, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';
import { payloadIn, type RecordKind, recordName, toRecordObject } from '../../../memory/record.ts';

/** A lock is weakened by a new record, or lost with an old one, only by somebody who may lift it. */

const PIN = 'belay.dev/pin';
const FREEZE = 'belay.dev/freeze';
const UNTIL = 'belay.dev/freeze-until';

for (const [kind, client] of [
  ['Secret', 'helm3'],
  ['Secret', 'helm'],
  ['ConfigMap', 'helmInConfigMaps'],
] as const satisfies readonly (readonly [RecordKind, string])[]) {
  describe(`locks on the records of ${client}, each a ${kind}`, () => {
    let plane: MemoryPlane;
    let dev: Person;
    let sre: Person;
    let helm: Helm;
    const at = (revision: number): string => `${kind.toLowerCase()}/${recordName('web', revision)}`;
    const next = async (annotations: Readonly<Record<string, string>>, owner = 'helm'): Promise<KubernetesObject> => {
      const payload = payloadIn({ ...(await plane.admin.get(at(1))), kind });
      const info = { ...payload.info, status: 'pending-upgrade' };
      const record = toRecordObject({ ...payload, version: 2, info }, kind, 'shop', {});
      const { metadata = {} } = record;
      return { ...record, metadata: { ...metadata, labels: { ...metadata.labels, owner }, annotations } };
    };

    beforeEach(async () => {
      plane = await memoryPlane();
      dev = plane.as('dev');
      sre = plane.as('sre', 'admin');
      helm = plane.as('ci')[client];
      succeeds(await helm.install('web'));
    });
    afterEach(() => plane.stop());

    test('a pin is not replaced by edit in a record that is created, or labelled afterwards', async () => {
      succeeds(await sre.annotate(at(1), { [PIN]: '1.4.x' }));
      for (const pin of ['*', '>=1.0', '1.4.0']) {
        isDenied(
          await untouched(plane, async () => dev.create(await next({ [PIN]: pin }))),
          'BelayLockForbidden',
          /dev may not unlock release web/,
        );
      }
      const unlabelled = await next({ [PIN]: '*' }, 'nobody');
      plane.unguard();
      succeeds(await dev.create(unlabelled));
      plane.guard();
      isDenied(
        await untouched(plane, () => dev.patch(at(2), { metadata: { labels: { owner: 'helm' } } })),
        'BelayLockForbidden',
      );
    });

    test('the same pin passes in a record that is created, and so does one more lock', async () => {
      const locks = { [PIN]: '1.4.x', 'belay.dev/no-downgrade': 'true' };
      succeeds(await sre.annotate(at(1), { [PIN]: '1.4.x' }));
      succeeds(await dev.create(await next(locks)));
      assert.deepEqual((await plane.locks('web'))[1], locks);
    });

    test('an administrator replaces a pin by a record that is created', async () => {
      succeeds(await sre.annotate(at(1), { [PIN]: '1.4.x' }));
      succeeds(await sre.create(await next({ [PIN]: '1.x' })));
    });

    test('a freeze that only warns is not replaced, and gets no earlier end, by a record that is created', async () => {
      await plane.policy({ freeze: { action: 'Warn' } });
      succeeds(await sre.annotate(at(1), { [FREEZE]: 'black friday' }));
      for (const annotations of [{ [FREEZE]: 'mine' }, { [UNTIL]: plane.clock.time(60_000) }])
        isDenied(await untouched(plane, async () => dev.create(await next(annotations))), 'BelayLockForbidden');
    });

    test('an upgrade does not take the old pin away with a weaker one that edit wrote meanwhile', async () => {
      const upgrade = await helm.start((run) => run.upgrade('web', { greeting: 'new' }));
      succeeds(await sre.annotate(at(1), { [PIN]: '1.4.x' }));
      succeeds(await dev.annotate(at(2), { [PIN]: '*' }));
      plane.clock.advance(2_000);
      succeeds(await upgrade.finish());
      assert.deepEqual(await plane.locks('web'), [{ [PIN]: '1.4.x' }, { [PIN]: '*' }]);
      // Nor does the pruning of history.
      isDenied(
        await untouched(plane, () => dev.delete(at(1))),
        'BelayRecordProtected',
        /belay\.dev\/pin is on no other revision/,
      );
    });

    test('an upgrade does not take the old freeze away with a shorter one that edit wrote meanwhile', async () => {
      const upgrade = await helm.start((run) => run.upgrade('web', { greeting: 'new' }));
      const until = plane.clock.time(60_000);
      succeeds(await sre.annotate(at(1), { [FREEZE]: 'black friday' }));
      succeeds(await dev.annotate(at(2), { [FREEZE]: 'black friday', [UNTIL]: until }));
      plane.clock.advance(2_000);
      succeeds(await upgrade.finish());
      assert.deepEqual((await plane.locks('web'))[0], { [FREEZE]: 'black friday', 'belay.dev/freeze-by': 'sre' });
      plane.clock.advance(120_000);
      isDenied(await helm.upgrade('web'), 'BelayFrozen', /black friday/, /by sre/);
    });
  });
}
