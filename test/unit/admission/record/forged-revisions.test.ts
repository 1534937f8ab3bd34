import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';
import { encodePayload, payloadIn, type RecordKind, recordName } from '../../../memory/record.ts';

for (const kind of ['Secret', 'ConfigMap'] as const satisfies readonly RecordKind[]) {
  describe(`a release in ${kind}s, and a user who may write ${kind}s`, () => {
    let plane: MemoryPlane;
    let ci: Person;
    let eve: Person;
    const at = (revision: number): string => `${kind.toLowerCase()}/${recordName('web', revision)}`;
    const helm = (person: Person) => (kind === 'Secret' ? person.helm : person.helmInConfigMaps);

    /** A copy of a stored record as another revision, with a manifest that lists nothing. */
    const forged = async (revision: number, status: string): Promise<KubernetesObject> => {
      const { type, metadata, ...stored } = await plane.admin.get(at(1));
      const payload = payloadIn({ ...stored, kind });
      const info = { ...payload.info, status };
      return {
        apiVersion: 'v1',
        kind,
        ...(type !== undefined && { type }),
        metadata: {
          name: recordName('web', revision),
          labels: { ...metadata?.labels, version: String(revision), status },
        },
        data: { release: encodePayload({ ...payload, version: revision, info, manifest: '' }, kind) },
      };
    };
    const drift = () => eve.patch('configmap/web', { data: { greeting: 'eve' } });

    beforeEach(async () => {
      plane = await memoryPlane();
      ci = plane.as('ci');
      eve = plane.as('eve');
      succeeds(await helm(ci).install('web'));
    });
    afterEach(() => plane.stop());

    for (const revision of [3, 9_999, 9_999_999_999]) {
      for (const status of ['pending-upgrade', 'pending-rollback', 'deployed', 'superseded', 'failed', 'uninstalled']) {
        test(`revision ${revision} after revision 1 is not stored as ${status}, and the next upgrade finds its number`, async () => {
          const record = await forged(revision, status);
          isDenied(await untouched(plane, () => eve.create(record)), 'BelayRecordProtected');
          succeeds(await helm(ci).upgrade('web', { greeting: 'two' }));
          assert.equal(await plane.history('web'), 'v1 superseded, v2 deployed');
        });
      }
    }

    test('a forged uninstall lets no record be deleted, neither new nor from an older Belay', async () => {
      const record = await forged(2, 'uninstalled');
      isDenied(await untouched(plane, () => eve.create(record)), 'BelayRecordProtected', /and revision 1 runs/);
      plane.unguard();
      succeeds(await eve.create(record));
      plane.guard();
      for (const revision of [1, 2])
        isDenied(await untouched(plane, () => eve.delete(at(revision))), 'BelayRecordProtected', /no uninstall/);
      isDenied(await untouched(plane, drift), 'BelayDrift');
    });

    for (const [what, change] of [
      ['without labels', { labels: undefined }],
      ['with another owner', { labels: { owner: 'me' } }],
      ['without the label owner alone', { labels: { name: 'web', status: 'superseded', version: '2' } }],
    ] as const) {
      test(`an object ${what} does not take the name of the next record`, async () => {
        const { metadata, ...record } = await forged(2, 'superseded');
        const named = { name: metadata?.name ?? '', ...change };
        const squatter = { ...record, metadata: named } as KubernetesObject;
        const bare: KubernetesObject = { apiVersion: 'v1', kind, metadata: squatter.metadata ?? {}, data: { a: '' } };
        for (const object of [squatter, bare]) {
          isDenied(
            await untouched(plane, () => eve.create(object)),
            'BelayRecordProtected',
            /it has the name of revision 2, but not the label owner=helm/,
          );
        }
        succeeds(await helm(ci).upgrade('web', { greeting: 'two' }));
      });
    }

    if (kind === 'Secret') {
      test('a Secret of another type does not take the name of the next record', async () => {
        const record = { ...(await forged(2, 'deployed')), type: 'Opaque' };
        const says = /but not the type helm\.sh\/release\.v1/;
        isDenied(await untouched(plane, () => eve.create(record)), 'BelayRecordProtected', says);
        succeeds(await helm(ci).upgrade('web', { greeting: 'two' }));
      });
    }

    test('names that only begin like that of a record are anybody’s', async () => {
      for (const name of ['sh.helm.release.v1.web.v1-backup', 'sh.helm.release.v1.web', 'sh.helm.release.v1.web.v0'])
        succeeds(await eve.create({ apiVersion: 'v1', kind, metadata: { name } }));
    });

    test('one who took the name before Belay came deletes it again', async () => {
      plane.unguard();
      succeeds(await eve.create({ apiVersion: 'v1', kind, metadata: { name: recordName('web', 2) } }));
      plane.guard();
      succeeds(await eve.delete(at(2)));
      succeeds(await helm(ci).upgrade('web', { greeting: 'two' }));
    });

    describe('restored from a backup', () => {
      const stored: KubernetesObject[] = [];
      beforeEach(async () => {
        stored.length = 0;
        for (const greeting of ['two', 'three', 'four']) succeeds(await helm(ci).upgrade('web', { greeting }));
        for (const revision of [1, 3, 4]) {
          const { apiVersion, kind: sameKind, type, metadata, data } = await plane.admin.get(at(revision));
          const { name = '', labels = {} } = metadata ?? {};
          const kept = { name, labels };
          stored.push({
            apiVersion,
            kind: sameKind,
            ...(type !== undefined && { type }),
            metadata: kept,
            data,
          } as KubernetesObject);
        }
        stored.push({ ...(await forged(7, 'failed')) });
      });

      const orders = [
        [0, 1, 2, 3],
        [3, 2, 1, 0],
        [2, 0, 3, 1],
        [1, 3, 0, 2],
      ] as const;
      for (const order of orders) {
        test(`its revisions 1, 3, 4 and 7 come back, in the order ${order.map((at) => [1, 3, 4, 7][at]).join(', ')}, by edit`, async () => {
          succeeds(await helm(ci).uninstall('web'));
          plane.clock.advance(60_000);
          for (const index of order) succeeds(await eve.create(stored[index] ?? {}));
          assert.equal(await plane.history('web'), 'v1 superseded, v3 superseded, v4 deployed, v7 failed');
          succeeds(await helm(ci).upgrade('web', { greeting: 'eight' }));
        });
      }

      test('what is missing of a release that lives comes back by an administrator, and by nobody else', async () => {
        const failed = stored[3] ?? {};
        isDenied(await untouched(plane, () => eve.create(failed)), 'BelayRecordProtected', /verb break/);
        succeeds(await plane.as('sre', 'admin').create(failed));
      });
    });
  });
}
