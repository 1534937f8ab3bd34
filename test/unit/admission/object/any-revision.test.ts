import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Outcome, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';
import { encodePayload, payloadIn, recordName } from '../../../memory/record.ts';

/** A record whose manifest lists nothing does not get the objects of its release out of the guard. */
describe('an object of a release, beside a record that lists nothing', () => {
  let plane: MemoryPlane;
  let eve: Person;
  let dev: Person;
  const at = (revision: number): string => `secret/${recordName('web', revision)}`;

  const forged = async (revision: number, status: string): Promise<KubernetesObject> => {
    const stored = await plane.admin.get(at(1));
    const payload = payloadIn(stored);
    const info = { ...payload.info, status };
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'helm.sh/release.v1',
      metadata: {
        name: recordName('web', revision),
        labels: { ...stored.metadata?.labels, version: String(revision), status },
      },
      data: { release: encodePayload({ ...payload, version: revision, info, manifest: '' }, 'Secret') },
    } as KubernetesObject;
  };
  const move = async (revision: number, status: string): Promise<Outcome> => {
    const payload = payloadIn(await plane.admin.get(at(revision)));
    const release = encodePayload({ ...payload, info: { ...payload.info, status } }, 'Secret');
    return eve.patch(at(revision), { metadata: { labels: { status } }, data: { release } });
  };
  const isGuarded = async (): Promise<void> => {
    for (const person of [dev, eve]) {
      const edit = () => person.patch('configmap/web', { data: { GREETING: 'mine' } });
      isDenied(await untouched(plane, edit), 'BelayDrift');
      isDenied(await untouched(plane, () => person.delete('service/web')), 'BelayDrift');
      isDenied(await untouched(plane, () => person.scale('deployment/web', 5)), 'BelayDrift');
    }
  };

  beforeEach(async () => {
    plane = await memoryPlane();
    eve = plane.as('eve');
    dev = plane.as('dev');
    succeeds(await plane.helm.install('web'));
  });
  afterEach(() => plane.stop());

  test('that is stored as deployed', async () => {
    succeeds(await eve.create(await forged(2, 'deployed')));
    plane.clock.advance(60_000);
    await isGuarded();
  });

  test('that many are stored of as deployed', async () => {
    for (const revision of [2, 3, 4, 5, 6, 7]) {
      succeeds(await eve.create(await forged(revision, 'deployed')));
      plane.clock.advance(60_000);
    }
    await isGuarded();
  });

  test('that is in flight, for everybody but its holder', async () => {
    succeeds(await eve.create(await forged(2, 'pending-upgrade')));
    const edit = () => dev.patch('configmap/web', { data: { GREETING: 'mine' } });
    isDenied(await untouched(plane, edit), 'BelayDrift');
    isDenied(await untouched(plane, () => dev.delete('service/web')), 'BelayOperationInFlight');
  });

  test('that died after it had superseded what ran', async () => {
    succeeds(await eve.create(await forged(2, 'pending-upgrade')));
    succeeds(await move(1, 'superseded'));
    plane.clock.advance(3_600_000);
    const edit = () => dev.patch('configmap/web', { data: { GREETING: 'mine' } });
    isDenied(await untouched(plane, edit), 'BelayDrift');
  });

  test('that failed after it had superseded what ran', async () => {
    succeeds(await eve.create(await forged(2, 'pending-upgrade')));
    succeeds(await move(1, 'superseded'));
    succeeds(await move(2, 'failed'));
    await isGuarded();
  });

  test('that an older Belay let be superseded, as what ran was', async () => {
    succeeds(await eve.create(await forged(2, 'pending-upgrade')));
    succeeds(await move(1, 'superseded'));
    isDenied(await untouched(plane, () => move(2, 'superseded')), 'BelayRecordProtected', /no revision that runs/);
    plane.unguard();
    succeeds(await move(2, 'superseded'));
    plane.guard();
    await isGuarded();
  });

  test('Helm still removes what its new chart lists no more, and it is free then', async () => {
    succeeds(await plane.helm.upgrade('web', { extraConfig: { more: 'x' } }));
    assert.ok((await plane.admin.get('configmap/web-more')).metadata);
    succeeds(await plane.helm.upgrade('web', { greeting: 'three' }));
    succeeds(await plane.helm.rollback('web', 2));
    succeeds(await plane.helm.rollback('web', 1));
    assert.equal(await plane.history('web'), 'v1 superseded, v2 superseded, v3 superseded, v4 superseded, v5 deployed');
  });
});
