import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { HELMS, historyOf, isDenied, makeNamespace, SHOP, succeeds } from './support/asking.ts';

/** Pins and no-downgrade, as annotations on records and on the Namespace, with real charts of several versions. */

let plane: ControlPlane;
let ci: string;
let sre: string;
let charts: string;

/** The shop chart under another version or name. */
const chartOf = async (version: string, name = 'shop'): Promise<string> => {
  const dir = join(charts, `${name}-${version}`);
  await cp(SHOP, dir, { recursive: true });
  const file = join(dir, 'Chart.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('version: 1.4.0', `version: ${version}`).replace('name: shop', `name: ${name}`));
  return dir;
};

before(async () => {
  plane = await startControlPlane({ pods: true, quiet: true, belay: {} });
  [ci, sre] = await Promise.all([plane.user('ci'), plane.user('sre')]);
  charts = await mkdtemp(join(tmpdir(), 'belay-charts-'));
});
after(async () => {
  await plane?.stop();
  if (charts) await rm(charts, { recursive: true, force: true });
});

for (const helm of HELMS) {
  describe(`with ${helm}`, () => {
    const namespace = `versions-${helm}`;
    const run = (args: readonly string[]) => plane[helm]([...args, '-n', namespace], { as: ci });
    const annotate = (release: string, as: string, ...annotations: readonly string[]) =>
      plane.kubectl(
        ['annotate', 'secret', '-n', namespace, '-l', `owner=helm,name=${release}`, '--overwrite', ...annotations],
        { as },
      );

    before(() => makeNamespace(plane, namespace, { editors: ['ci'], admins: ['sre'] }));

    test('a pinned release moves inside its pin, and the pin outlives upgrades', async () => {
      succeeds(await run(['install', 'web', SHOP]));
      succeeds(await annotate('web', ci, 'belay.dev/pin=1.4.x'));
      succeeds(await run(['upgrade', 'web', await chartOf('1.4.7')]));
      const text = isDenied(
        await run(['upgrade', 'web', await chartOf('1.5.0')]),
        'BelayPinned',
        /1\.4\.x/,
        /shop-1\.5\.0/,
      );
      assert.match(text, /kubectl annotate secret -n \S+ -l owner=helm,name=web belay\.dev\/pin-/);
      isDenied(await run(['upgrade', 'web', await chartOf('1.4.8', 'other')]), 'BelayPinned', /another one/);
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 deployed');
      isDenied(await annotate('web', ci, 'belay.dev/pin-'), 'BelayLockForbidden');
      isDenied(await annotate('web', ci, 'belay.dev/pin=*'), 'BelayLockForbidden');
      succeeds(await annotate('web', sre, 'belay.dev/pin-'));
      succeeds(await run(['upgrade', 'web', await chartOf('1.5.0')]));
    });

    test('a release that may not be downgraded', async () => {
      succeeds(await run(['install', 'floor', SHOP]));
      succeeds(await annotate('floor', ci, 'belay.dev/no-downgrade=true'));
      succeeds(await run(['upgrade', 'floor', await chartOf('1.6.0')]));
      isDenied(await run(['upgrade', 'floor', SHOP]), 'BelayDowngrade', /shop-1\.4\.0/, /shop-1\.6\.0/);
      isDenied(await run(['rollback', 'floor', '1']), 'BelayDowngrade');
      const atomic = helm === 'helm3' ? '--atomic' : '--rollback-on-failure';
      const failed = await run(['upgrade', 'floor', await chartOf('1.7.0'), atomic, '--set', 'badPort=true']);
      assert.notEqual(failed.code, 0);
      assert.doesNotMatch(failed.stderr, /belay\.dev/);
      assert.equal(await historyOf(plane, namespace, 'floor'), 'v1 superseded, v2 superseded, v3 failed, v4 deployed');
      succeeds(await run(['uninstall', 'floor']));
    });

    test('bad values are refused when they are written', async () => {
      succeeds(await run(['install', 'bad', SHOP]));
      isDenied(await annotate('bad', sre, 'belay.dev/pin=soon'), 'BelayBadLock', /SemVer range/);
      isDenied(await annotate('bad', sre, 'belay.dev/no-downgrade=yes'), 'BelayBadLock', /true/);
      isDenied(await annotate('bad', sre, 'belay.dev/pim=1'), 'BelayBadLock', /did you mean belay\.dev\/pin\?/);
    });
  });
}
