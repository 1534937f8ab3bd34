import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import type { Outcome, Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';

/**
 * Metadata that is written by a subresource, as the API server lets it through for most of its own kinds (which ones, and what of custom
 * resources: test/cluster/detours.test.ts).
 */

let plane: MemoryPlane;
/** Has rights on subresources, and none of Belay's verbs. */
let eve: Person;
let controller: Person;

const DEPLOYMENT = '/apis/apps/v1/namespaces/shop/deployments/web/status';
const write = (person: Person, path: string, body: object): Promise<Outcome> =>
  person.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body });

beforeEach(async () => {
  plane = await memoryPlane();
  eve = plane.as('eve', 'none');
  controller = plane.as('system:serviceaccount:operators:operator', 'none', ['system:serviceaccounts']);
  succeeds(await plane.helm.install('web'));
});
afterEach(() => plane.stop());

describe('an object of a release, by its status', () => {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid: 'none' };
  const ATTACKS: readonly (readonly [what: string, metadata: object])[] = [
    ['the label of Helm', { labels: { 'app.kubernetes.io/managed-by': null } }],
    ['an annotation of Helm', { annotations: { 'meta.helm.sh/release-name': null } }],
    ['all marks at once', { labels: null, annotations: null }],
    ['an owner that does not exist', { ownerReferences: [owner] }],
    [
      'the annotation by which the Deployment controller goes back',
      { annotations: { 'deprecated.deployment.rollback.to': '1' } },
    ],
  ];
  for (const [what, metadata] of ATTACKS) {
    test(`is not changed in ${what}, with a status in the same write or without`, async () => {
      isDenied(await untouched(plane, () => write(eve, DEPLOYMENT, { metadata })), 'BelayDrift', /Deployment web/);
      const both = { metadata, status: { replicas: 2 } };
      isDenied(await untouched(plane, () => write(eve, DEPLOYMENT, both)), 'BelayDrift');
    });
  }

  test('gets no new owner from a service account while its release is frozen', async () => {
    await plane.freeze('web');
    const adopt = (): Promise<Outcome> => write(controller, DEPLOYMENT, { metadata: { ownerReferences: [owner] } });
    isDenied(await untouched(plane, adopt), 'BelayFrozen', /audit week/);
  });

  test('does not lose its last finalizer, and so goes, while its release is frozen', async () => {
    succeeds(await eve.patch('deployment/web', { metadata: { finalizers: ['example.com/hold'] } }));
    plane.unguard();
    succeeds(await eve.delete('deployment/web'));
    plane.guard();
    await plane.freeze('web');
    const release = (): Promise<Outcome> => write(eve, DEPLOYMENT, { metadata: { finalizers: null } });
    isDenied(await untouched(plane, release), 'BelayFrozen', /deletion of Deployment web/);
  });

  test('gets its status without a question to Belay', async () => {
    const asked = plane.asked.length;
    for (const person of [eve, controller]) {
      succeeds(
        await write(person, DEPLOYMENT, { status: { replicas: 2, observedGeneration: person === eve ? 1 : 2 } }),
      );
    }
    assert.equal(plane.asked.length, asked);
  });

  test('gets labels, annotations and finalizers of an operator together with its status', async () => {
    const metadata = {
      labels: { 'operators.example.com/ready': 'true' },
      annotations: { 'operators.example.com/seen': '1' },
      finalizers: ['operators.example.com/clean-up'],
    };
    succeeds(await write(controller, DEPLOYMENT, { metadata, status: { replicas: 2 } }));
  });
});

describe('a Namespace, by its subresources', () => {
  beforeEach(async () => {
    succeeds(await plane.admin.annotate('namespace/shop', { 'belay.dev/freeze': 'audit' }));
  });

  for (const subresource of ['status', 'finalize']) {
    const path = `/api/v1/namespaces/shop/${subresource}`;

    test(`keeps its lock against a write of ${subresource} by somebody who may not unlock`, async () => {
      for (const annotations of [null, { 'belay.dev/freeze': null }, { 'belay.dev/freeze': 'mine' }]) {
        isDenied(await untouched(plane, () => write(eve, path, { metadata: { annotations } })), 'BelayLockForbidden');
      }
    });

    test(`does not say that somebody else froze, by a write of ${subresource}`, async () => {
      const annotations = { 'belay.dev/freeze-by': 'somebody' };
      await write(eve, path, { metadata: { annotations } });
      const { metadata } = await plane.admin.get('namespace/shop');
      assert.equal(metadata?.annotations?.['belay.dev/freeze-by'], 'admin');
    });

    test(`is unlocked by ${subresource} by who may, and its ${subresource} is written by everybody`, async () => {
      succeeds(await write(eve, path, { status: { phase: 'Active' } }));
      succeeds(
        await write(plane.as('sre', 'admin'), path, { metadata: { annotations: { 'belay.dev/freeze': null } } }),
      );
    });
  }
});
