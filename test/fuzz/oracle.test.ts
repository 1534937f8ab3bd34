import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Person } from '../memory/person.ts';
import { createWorld, type Rights, USERNAMES, type World } from './releases/world.ts';

/** The oracle of releases.test.ts sees what is broken: here Belay is taken away, and each promise is broken once. */

const RECORD = 'secret/sh.helm.release.v1.web.v1';
const FREEZE = { 'belay.dev/freeze': 'audit' };
const NO_RIGHTS: readonly Rights[] = USERNAMES.map(() => ({ role: 'none', verbs: [] }));

interface Broken {
  readonly what: string;
  /** What stands before Belay is taken away. */
  readonly locks?: Readonly<Record<string, string>>;
  readonly write: (eve: Person, world: World) => Promise<unknown>;
  readonly told: RegExp;
}

const BROKEN: readonly Broken[] = [
  {
    what: 'an object of a frozen release is changed',
    locks: FREEZE,
    write: (eve) => eve.patch('configmap/web', { data: { GREETING: 'evil' } }),
    told: /^release web: ConfigMap web has another \/data\/GREETING, although the release is frozen \(written by eve\)$/,
  },
  {
    what: 'an object of a frozen release is deleted',
    locks: FREEZE,
    write: (eve) => eve.delete('service/web'),
    told: /Service web is gone, although the release is frozen/,
  },
  {
    what: 'an object of a frozen release is set free',
    locks: FREEZE,
    write: (eve) => eve.patch('service/web', { metadata: { annotations: { 'meta.helm.sh/release-name': null } } }),
    told: /Service web belongs to the release no more/,
  },
  {
    what: 'an object of a frozen release gets an owner',
    locks: FREEZE,
    write: (eve) =>
      eve.patch('service/web', {
        metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'b' }] },
      }),
    told: /Service web has another owner/,
  },
  {
    what: 'a frozen release is upgraded',
    locks: FREEZE,
    write: (eve) => eve.helm.upgrade('web', { greeting: 'two' }),
    told: /revision 2 was stored as pending-upgrade, although the release is frozen/,
  },
  {
    what: 'the record of a frozen release is deleted',
    locks: FREEZE,
    write: (eve) => eve.delete(RECORD),
    told: /revision 1 is gone, although the release is frozen/,
  },
  {
    what: 'the Namespace of a frozen release is deleted',
    locks: FREEZE,
    write: (eve) => eve.delete('namespace/shop'),
    told: /the Namespace of a frozen release is deleted/,
  },
  {
    what: 'a freeze is lifted without the right to unlock',
    locks: FREEZE,
    write: (eve) => eve.annotate(RECORD, { 'belay.dev/freeze': null }),
    told: /a freeze that ends never is gone, and eve has no right to unlock/,
  },
  {
    what: 'a freeze gets an earlier end without the right to unlock',
    locks: FREEZE,
    write: (eve, { plane }) => eve.annotate(RECORD, { 'belay.dev/freeze-until': plane.clock.time(60_000) }),
    told: /a freeze that ends never is gone/,
  },
  {
    what: 'a pin is lost with Helm’s own writes',
    locks: { 'belay.dev/pin': '1.x' },
    write: (eve) => eve.helm.upgrade('web', { greeting: 'two' }),
    told: /belay\.dev\/pin=1\.x is gone, and eve has no right to unlock/,
  },
  {
    what: 'somebody freezes without the right to, or in another’s name',
    write: (eve) => eve.annotate(RECORD, { ...FREEZE, 'belay.dev/freeze-by': 'ana' }),
    told: /eve wrote belay\.dev\/freeze without the right to lock|eve froze in the name of ana/,
  },
  {
    what: 'a second operation begins beside the first',
    write: async (eve, { person }) => {
      await person(0).helm.start((helm) => helm.upgrade('web', { greeting: 'two' }));
      await eve.helm.uninstall('web');
    },
    told: /revision 2 became uninstalling beside revision 2 that is pending-upgrade/,
  },
  {
    what: 'another ends the operation',
    write: async (eve, { person }) => {
      await person(0).helm.start((helm) => helm.upgrade('web', { greeting: 'two' }));
      await eve.delete('secret/sh.helm.release.v1.web.v2');
    },
    told: /revision 2 is gone beside the pending-upgrade of ana, which goes on/,
  },
  {
    what: 'an object is changed by hand',
    write: (eve) => eve.patch('service/web', { spec: { ports: [{ port: 81 }] } }),
    told: /Service web has another \/spec\/ports\/0, although the release is guarded/,
  },
];

for (const { what, locks, write, told } of BROKEN) {
  test(`without Belay the oracle tells when ${what}`, async () => {
    const world = await createWorld(NO_RIGHTS);
    const { plane, oracle } = world;
    assert.ok((await plane.helm.install('web')).ok);
    if (locks !== undefined) assert.ok((await plane.admin.annotate(RECORD, locks)).ok);
    assert.deepEqual(oracle.broken, []);
    plane.unguard();
    await write(world.person(USERNAMES.indexOf('eve')), world);
    await world.stop();
    assert.ok(
      oracle.broken.some((each) => told.test(each)),
      oracle.broken.join('\n') || 'it told nothing',
    );
  });
}
