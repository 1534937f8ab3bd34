import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isDenied, succeeds } from '../../../memory/asking.ts';
import type { Helm, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** Helm drops all annotations of a record at every write: /mutate puts the locks back, and carries them to the next revision. */

const FREEZE = 'belay.dev/freeze';

for (const [version, kind] of [
  ['helm3', 'secret'],
  ['helm', 'secret'],
  ['helmInConfigMaps', 'configmap'],
] as const) {
  describe(`locks outlive what ${version} does, with records in a ${kind}`, () => {
    let plane: MemoryPlane;
    let dev: Person;
    let sre: Person;
    let helm: Helm;
    const at = (revision: number): string => `${kind}/sh.helm.release.v1.web.v${revision}`;

    beforeEach(async () => {
      plane = await memoryPlane();
      dev = plane.as('dev');
      sre = plane.as('sre', 'admin');
      helm = plane.as('ci')[version];
      succeeds(await helm.install('web'));
    });
    afterEach(() => plane.stop());

    for (const [where, revisions] of [
      ['all revisions', [1, 2]],
      ['the old one', [1]],
      ['the new one', [2]],
    ] as const) {
      test(`a freeze on ${where}, written while an upgrade is in flight, lets it complete and holds from then on`, async () => {
        const upgrade = await helm.start((run) => run.upgrade('web', { greeting: 'new' }));
        plane.clock.advance(2_000);
        for (const revision of revisions) succeeds(await dev.annotate(at(revision), { [FREEZE]: 'midway' }));
        plane.clock.advance(2_000);
        succeeds(await upgrade.finish());
        const held = (await plane.locks('web')).filter((locks) => locks[FREEZE] === 'midway');
        assert.deepEqual(held, [{ [FREEZE]: 'midway', 'belay.dev/freeze-by': 'dev' }]);
        isDenied(await helm.upgrade('web'), 'BelayFrozen', /midway/, /by dev/);
      });
    }

    test('a freeze lifted while an upgrade is in flight does not come back', async () => {
      const upgrade = await helm.start((run) => run.upgrade('web'));
      for (const revision of [1, 2]) succeeds(await dev.annotate(at(revision), { [FREEZE]: 'a mistake' }));
      for (const revision of [1, 2]) succeeds(await sre.annotate(at(revision), { [FREEZE]: null }));
      plane.clock.advance(2_000);
      succeeds(await upgrade.finish());
      assert.deepEqual(await plane.locks('web'), [{}, {}]);
      succeeds(await helm.upgrade('web', { greeting: 'next' }));
      assert.deepEqual(await plane.locks('web'), [{}, {}, {}]);
    });

    test('locks other than a freeze outlive upgrade, failing upgrade, rollback, pruning and uninstall --keep-history', async () => {
      const open = { 'belay.dev/open': 'migration', 'belay.dev/open-until': plane.clock.time(3_600_000) };
      succeeds(await sre.annotate(at(1), open));
      const carries = async (count: number): Promise<void> =>
        assert.deepEqual(await plane.locks('web'), [...Array(count - 1).fill({}), open]);
      for (const [step, count] of [
        [() => helm.upgrade('web', { greeting: 'two' }), 2],
        [() => helm.rollback('web', 1), 3],
        [() => helm.upgrade('web', {}, { historyMax: 2 }), 2],
      ] as const) {
        plane.clock.advance(2_000);
        succeeds(await step());
        await carries(count);
      }
      plane.clock.advance(2_000);
      assert.ok(!(await helm.upgrade('web', { badPort: true })).ok);
      assert.deepEqual((await plane.locks('web')).at(-1), open);
      succeeds(await helm.upgrade('web'));
      assert.deepEqual((await plane.locks('web')).at(-1), open);
      succeeds(await helm.uninstall('web', true));
      assert.deepEqual((await plane.locks('web')).at(-1), open);
    });

    test('helm test leaves a frozen release frozen', async () => {
      succeeds(await dev.annotate(at(1), { [FREEZE]: 'quiet' }));
      plane.clock.advance(2_000);
      const frozen = await plane.locks('web');
      succeeds(await helm.test('web'));
      assert.deepEqual(await plane.locks('web'), frozen);
    });
  });
}
