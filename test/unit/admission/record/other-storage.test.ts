import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { fails, isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';
import { encodePayload, payloadIn, type RecordKind, recordName } from '../../../memory/record.ts';

for (const [own, other] of [
  ['Secret', 'ConfigMap'],
  ['ConfigMap', 'Secret'],
] as const satisfies readonly (readonly [RecordKind, RecordKind])[]) {
  describe(`a release that is stored in ${own}s, and a user who writes ${other}s`, () => {
    let plane: MemoryPlane;
    let ci: Person;
    let eve: Person;
    const at = (revision: number, kind: RecordKind = own): string =>
      `${kind.toLowerCase()}/${recordName('web', revision)}`;
    const helmOf = (person: Person, kind: RecordKind) => (kind === 'Secret' ? person.helm : person.helmInConfigMaps);

    /** A record of the other kind whose manifest lists nothing. */
    const forged = async (revision: number, status: string): Promise<KubernetesObject> => {
      const { type: _, ...stored } = await plane.admin.get(at(1));
      const payload = structuredClone(payloadIn(stored)) as unknown as Record<string, unknown> & {
        info: Record<string, unknown>;
      };
      Object.assign(payload, { manifest: '', version: revision });
      payload.info.status = status;
      return {
        apiVersion: 'v1',
        kind: other,
        ...(other === 'Secret' && { type: 'helm.sh/release.v1' }),
        metadata: {
          name: recordName('web', revision),
          labels: { ...stored.metadata?.labels, version: String(revision), status },
        },
        data: { release: encodePayload(payload, other) },
      };
    };
    const drift = () => eve.patch('configmap/web', { data: { greeting: 'eve' } });

    beforeEach(async () => {
      plane = await memoryPlane();
      ci = plane.as('ci');
      eve = plane.as('eve');
      succeeds(await helmOf(ci, own).install('web'));
    });
    afterEach(() => plane.stop());

    for (const status of [
      'deployed',
      'pending-install',
      'pending-upgrade',
      'pending-rollback',
      'uninstalling',
      'superseded',
      'failed',
    ]) {
      test(`no revision of theirs is stored as ${status}, above, beside or far above the release's own`, async () => {
        for (const revision of [1, 2, 9_999]) {
          const record = await forged(revision, status);
          isDenied(
            await untouched(plane, () => eve.create(record)),
            'BelayRecordProtected',
            /is stored in/,
            /HELM_DRIVER=/,
          );
        }
      });
    }

    test('one smuggled in without its label is refused its label', async () => {
      const record = await forged(2, 'deployed');
      const labels = { ...record.metadata?.labels };
      plane.unguard();
      succeeds(
        await eve.create({ ...record, metadata: { ...record.metadata, labels: { ...labels, owner: 'nobody' } } }),
      );
      plane.guard();
      const label = () => eve.patch(at(2, other), { metadata: { labels: { owner: 'helm' } } });
      isDenied(await untouched(plane, label), 'BelayRecordProtected', /is stored in/);
    });

    test('Helm with the other driver neither installs nor touches anything', async () => {
      const before = await plane.history('web');
      fails(await helmOf(ci, other).install('web', { greeting: 'two' }), /BelayRecordProtected/);
      assert.equal(await plane.history('web'), before);
    });

    for (const status of ['deployed', 'pending-install', 'uninstalling']) {
      describe(`that an older Belay let one in as ${status}`, () => {
        beforeEach(async () => {
          plane.clock.advance(5_000);
          plane.unguard();
          succeeds(await eve.create(await forged(2, status)));
          plane.guard();
        });

        test('the objects of the release are guarded all the same', async () => {
          isDenied(await untouched(plane, drift), 'BelayDrift');
        });

        test('its freeze holds', async () => {
          succeeds(await plane.as('sre', 'admin').annotate(at(1), { 'belay.dev/freeze': 'closed' }));
          isDenied(await untouched(plane, drift), 'BelayFrozen');
        });

        test('its owner upgrades, rolls back and uninstalls it', async () => {
          const helm = helmOf(ci, own);
          succeeds(await helm.upgrade('web', { greeting: 'two' }));
          succeeds(await helm.upgrade('web', { greeting: 'three' }));
          succeeds(await helm.rollback('web', 1));
          succeeds(await helm.uninstall('web'));
        });

        test('a lock on it does not hold, and it can be deleted', async () => {
          succeeds(await plane.as('sre', 'admin').annotate(at(2, other), { 'belay.dev/freeze': 'closed' }));
          succeeds(await helmOf(ci, own).upgrade('web', { greeting: 'two' }));
          succeeds(await ci.delete(at(2, other)));
          assert.equal(await plane.history('web'), 'v1 superseded, v2 deployed');
        });
      });
    }

    test('the release moves to the other driver while a policy lets it, and is guarded there', async () => {
      await plane.policy({ operations: { action: 'Warn' } }, 'move');
      const payload = structuredClone(payloadIn(await plane.admin.get(at(1))));
      const copy = await forged(1, 'deployed');
      succeeds(await plane.admin.create({ ...copy, data: { release: encodePayload(payload, other) } }));
      succeeds(await plane.admin.delete(at(1)));
      await plane.policy({}, 'move');
      succeeds(await helmOf(ci, other).upgrade('web', { greeting: 'two' }));
      isDenied(await untouched(plane, drift), 'BelayDrift');
    });
  });
}
