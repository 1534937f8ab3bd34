import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import { renderShop, withMarks } from '../../../memory/chart.ts';
import type { Operation, Outcome, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** An operation deletes objects of its own manifest and creates them again, as nelm does, and `helm upgrade --force` where an object cannot be changed. */

const OBJECTS = ['configmap/web', 'service/web', 'deployment/web'] as const;
const NEXT = renderShop('web', { greeting: 'two' }).map((document) => withMarks(document, 'web', 'shop'));

let plane: MemoryPlane;
let ci: Person;

/** By Helm's field manager, with which it goes on. */
const create = (person: Person, document: KubernetesObject): Promise<Outcome> =>
  person.apply(document, { fieldManager: 'helm' });
const recreate = async (person: Person): Promise<void> => {
  for (const [index, name] of OBJECTS.entries()) {
    succeeds(await person.delete(name));
    succeeds(await create(person, NEXT[index] as KubernetesObject));
  }
};
const upgrade: Operation = (helm) => helm.upgrade('web', { greeting: 'two' });
const REFUSED_BEFORE =
  /deletion of \w+ web in namespace shop refused: an uninstall of release web in namespace shop by this user was refused, and Helm goes on to delete/;
const refuses = async (person: Person): Promise<void> => {
  for (const name of OBJECTS) {
    isDenied(
      await untouched(plane, () => person.delete(name)),
      'BelayOperationInFlight',
      REFUSED_BEFORE,
      /to revision \d+ by ci is in flight/,
      /then, if the release is to go:\n\s+helm uninstall web -n shop/,
    );
  }
};

beforeEach(async () => {
  plane = await memoryPlane();
  ci = plane.as('ci');
});
afterEach(() => plane.stop());

describe('an operation creates its objects anew', () => {
  for (const version of ['helm', 'helm3', 'helmInConfigMaps'] as const) {
    test(`in an upgrade and a rollback, ${version}`, async () => {
      succeeds(await ci[version].install('web'));
      const upgrading = await ci[version].start(upgrade);
      await recreate(ci);
      succeeds(await upgrading.finish());
      const back = await ci[version].start((helm) => helm.rollback('web', 1));
      await recreate(ci);
      succeeds(await back.finish());
    });
  }

  test('in an install, and while the release is frozen meanwhile', async () => {
    const installing = await ci.helm.start((helm) => helm.install('web', { greeting: 'two' }));
    for (const document of NEXT) succeeds(await create(ci, document));
    await recreate(ci);
    succeeds(await plane.admin.annotate('namespace/shop', { 'belay.dev/freeze': 'audit' }));
    await recreate(ci);
    succeeds(await installing.finish());
  });

  test('but nobody else deletes them, nor the holder when the operation is over', async () => {
    succeeds(await ci.helm.install('web'));
    const upgrading = await ci.helm.start(upgrade);
    const robot = plane.as('system:serviceaccount:shop:robot');
    for (const person of [plane.as('dev'), robot])
      isDenied(await untouched(plane, () => person.delete('service/web')), 'BelayOperationInFlight');
    succeeds(await upgrading.finish());
    isDenied(await untouched(plane, () => ci.delete('service/web')), 'BelayDrift');
  });
});

describe('an uninstall that was refused beside an operation of the same user deletes nothing', () => {
  for (const version of ['helm', 'helm3', 'helmInConfigMaps'] as const) {
    test(`beside an upgrade, which ends well, ${version}`, async () => {
      succeeds(await ci[version].install('web'));
      const upgrading = await ci[version].start(upgrade);
      const before = await plane.state();
      const uninstalling = await ci[version].uninstall('web');
      assert.ok(!uninstalling.ok);
      assert.match(uninstalling.said, REFUSED_BEFORE);
      const after = await plane.state();
      for (const name of Object.keys(before)) {
        assert.equal(after[name], before[name]);
      }
      await refuses(ci);
      succeeds(await upgrading.finish());
      succeeds(await ci[version].uninstall('web'));
    });
  }

  test('beside an install and a rollback', async () => {
    const installing = await ci.helm.start((helm) => helm.install('web'));
    for (const document of NEXT) succeeds(await create(ci, document));
    await ci.helm.uninstall('web');
    await refuses(ci);
    succeeds(await installing.finish());
    const back = await ci.helm.start((helm) => helm.rollback('web', 1));
    await recreate(ci);
    await ci.helm.uninstall('web');
    await refuses(ci);
    succeeds(await back.finish());
  });

  test('where the release was frozen meanwhile, so that the freeze refused the uninstall', async () => {
    succeeds(await ci.helm.install('web'));
    await ci.helm.start(upgrade);
    await plane.freeze('web');
    await ci.helm.uninstall('web');
    await refuses(ci);
  });

  test('where the operation was silent, and the freeze that refused the uninstall ends meanwhile', async () => {
    succeeds(await ci.helm.install('web'));
    await ci.helm.start(upgrade);
    plane.clock.advance(600_001);
    succeeds(await plane.admin.annotate('namespace/shop', { 'belay.dev/freeze': 'audit' }));
    await ci.helm.uninstall('web');
    succeeds(await plane.admin.annotate('namespace/shop', { 'belay.dev/freeze': null }));
    for (const name of OBJECTS)
      isDenied(await untouched(plane, () => ci.delete(name)), 'BelayOperationInFlight', REFUSED_BEFORE);
  });

  test('and the next operation creates its objects anew again', async () => {
    succeeds(await ci.helm.install('web'));
    const first = await ci.helm.start(upgrade);
    await ci.helm.uninstall('web');
    succeeds(await first.finish());
    await ci.helm.start((helm) => helm.upgrade('web', { greeting: 'two' }));
    await recreate(ci);
  });

  test('while an uninstall of another user, or a dry run of one, takes nothing from the operation', async () => {
    succeeds(await ci.helm.install('web'));
    await ci.helm.start(upgrade);
    await plane.as('dev').helm.uninstall('web');
    isDenied(
      await untouched(plane, () => plane.as('dev').delete('service/web')),
      'BelayOperationInFlight',
      /by ci is in flight/,
    );
    const record = await ci.get('secret/sh.helm.release.v1.web.v2');
    const labels = { ...record.metadata?.labels, status: 'uninstalling' };
    await untouched(plane, () =>
      ci.patch('secret/sh.helm.release.v1.web.v2', { metadata: { labels } }, { dryRun: 'All' }),
    );
    await recreate(ci);
  });

  test('whichever replica of Belay is asked: the claim tells', async () => {
    succeeds(await ci.helm.install('web'));
    await ci.helm.start(upgrade);
    await ci.helm.uninstall('web');
    const { metadata } = await plane.admin.get('lease/belay.web');
    assert.equal(metadata?.annotations?.['belay.dev/uninstall-refused'], '["ci"]');
    const bare = { metadata: { annotations: { 'belay.dev/uninstall-refused': null } } };
    isDenied(await untouched(plane, () => ci.patch('lease/belay.web', bare)), 'BelayClaimGuarded');
  });

  test('and accounts that are no part of the operation, whose uninstalls are refused, are not written down', async () => {
    succeeds(await ci.helm.install('web'));
    await ci.helm.start(upgrade);
    for (const name of ['dev', 'system:serviceaccount:shop:robot']) await plane.as(name).helm.uninstall('web');
    const { metadata } = await plane.admin.get('lease/belay.web');
    assert.equal(metadata?.annotations?.['belay.dev/uninstall-refused'], undefined);
    await recreate(ci);
  });
});
