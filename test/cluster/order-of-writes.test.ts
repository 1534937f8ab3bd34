import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { HELMS, historyOf, makeNamespace, SHOP, succeeds, waitForStatus } from './support/asking.ts';

/** Everything that Helm does by itself runs to its normal end with Belay enforcing: no false denial. */

let plane: ControlPlane;
let ci: string;

before(async () => {
  plane = await startControlPlane({ pods: true, quiet: true, belay: { replicas: 1 } });
  ci = await plane.user('ci');
});
after(() => plane?.stop());

for (const helm of HELMS) {
  describe(`with ${helm}`, () => {
    const namespace = `order-${helm}`;
    const run = (args: readonly string[]) => plane[helm]([...args, '-n', namespace], { as: ci });
    const objects = async (release: string): Promise<string> => {
      const labels = 'app.kubernetes.io/managed-by=Helm';
      const found = await plane.api.list('deployment,service,configmap', { namespace, labels });
      return found
        .filter(({ metadata }) => metadata?.name?.startsWith(release))
        .map(({ kind, metadata }) => `${kind?.toLowerCase()}/${metadata?.name}`)
        .sort()
        .join(' ');
    };

    before(() => makeNamespace(plane, namespace, { editors: ['ci'] }));

    test('install, upgrade, rollback, test and uninstall, with hooks', async () => {
      const hooks = ['--set', 'hooks.test=true,hooks.preDelete=true,hooks.preUpgradeDelay=0s'];
      succeeds(await run(['install', 'web', SHOP, '--wait', ...hooks]));
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 deployed');
      succeeds(await run(['upgrade', 'web', SHOP, '--wait', '--set', 'image=nginx:1.28', ...hooks]));
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 deployed');
      succeeds(await run(['test', 'web']));
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 deployed');
      succeeds(await run(['rollback', 'web', '1', '--wait']));
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 superseded, v3 deployed');
      succeeds(await run(['uninstall', 'web']));
      assert.equal(await historyOf(plane, namespace, 'web'), '');
      assert.equal(await objects('web'), '');
    });

    test('an upgrade that adds and removes objects', async () => {
      succeeds(await run(['install', 'grow', SHOP, '--set', 'extraConfig.a=1']));
      succeeds(await run(['upgrade', 'grow', SHOP, '--set', 'extraConfig.b=2']));
      assert.equal(await objects('grow'), 'configmap/grow configmap/grow-b deployment/grow service/grow');
    });

    test('a failing upgrade, with and without clean-up', async () => {
      succeeds(await run(['install', 'fail', SHOP]));
      // The Service's port is refused by the API server after the ConfigMaps were written.
      const broken = ['--set', 'extraConfig.c=3,badPort=true', '--cleanup-on-fail'];
      const failed = await run(['upgrade', 'fail', SHOP, ...broken]);
      assert.notEqual(failed.code, 0);
      assert.doesNotMatch(failed.stderr, /belay/i);
      assert.equal(await historyOf(plane, namespace, 'fail'), 'v1 deployed, v2 failed');
      assert.equal(await objects('fail'), 'configmap/fail deployment/fail service/fail');
      succeeds(await run(['upgrade', 'fail', SHOP, '--set', 'greeting=again']));
      assert.equal(await historyOf(plane, namespace, 'fail'), 'v1 superseded, v2 failed, v3 deployed');
    });

    test('a failing upgrade that rolls itself back', async () => {
      succeeds(await run(['install', 'atomic', SHOP]));
      const atomic = helm === 'helm3' ? '--atomic' : '--rollback-on-failure';
      const failed = await run(['upgrade', 'atomic', SHOP, atomic, '--set', 'badPort=true', '--timeout', '30s']);
      assert.notEqual(failed.code, 0);
      assert.doesNotMatch(failed.stderr, /belay/i);
      assert.equal(await historyOf(plane, namespace, 'atomic'), 'v1 superseded, v2 failed, v3 deployed');
    });

    test('a failing hook leaves the upgrade failed, and the next one works', async () => {
      succeeds(await run(['install', 'hook', SHOP]));
      const failed = await run(['upgrade', 'hook', SHOP, '--set', 'hooks.preUpgradeFails=true']);
      assert.notEqual(failed.code, 0);
      assert.doesNotMatch(failed.stderr, /belay/i);
      assert.equal(await historyOf(plane, namespace, 'hook'), 'v1 deployed, v2 failed');
      succeeds(await run(['upgrade', 'hook', SHOP]));
    });

    test('a first install that fails, and upgrade --install over it', async () => {
      const failed = await run(['install', 'first', SHOP, '--set', 'badPort=true']);
      assert.notEqual(failed.code, 0);
      assert.doesNotMatch(failed.stderr, /belay/i);
      assert.equal(await historyOf(plane, namespace, 'first'), 'v1 failed');
      succeeds(await run(['upgrade', '--install', 'first', SHOP, '--set', 'badPort=false']));
      assert.equal(await historyOf(plane, namespace, 'first'), 'v1 superseded, v2 deployed');
      succeeds(await run(['uninstall', 'first']));
    });

    test('history is pruned', async () => {
      succeeds(await run(['install', 'prune', SHOP]));
      for (let round = 0; round < 4; round += 1) {
        succeeds(await run(['upgrade', 'prune', SHOP, '--history-max', '2', '--set', `greeting=g${round}`]));
      }
      assert.equal(await historyOf(plane, namespace, 'prune'), 'v4 superseded, v5 deployed');
    });

    test('the newest revision is pruned, where it failed', async () => {
      const atomic = helm === 'helm3' ? '--atomic' : '--rollback-on-failure';
      const broken = ['upgrade', 'short', SHOP, '--set', 'badPort=true'];
      assert.notEqual((await run(['install', 'short', SHOP, '--set', 'badPort=true'])).code, 0);
      const again = ['upgrade', '--install', 'short', SHOP, '--set', 'badPort=false'];
      succeeds(await run([...again, '--history-max', '1']));
      assert.equal(await historyOf(plane, namespace, 'short'), 'v2 deployed');
      assert.notEqual((await run(broken)).code, 0);
      succeeds(await run([...again, '--history-max', '2']));
      assert.equal(await historyOf(plane, namespace, 'short'), 'v2 superseded, v4 deployed');
      assert.doesNotMatch((await run([...broken, atomic, '--history-max', '1', '--timeout', '30s'])).stderr, /belay/i);
      assert.match(await historyOf(plane, namespace, 'short'), /v6 deployed$/);
    });

    test('uninstall --keep-history, then upgrade --install, then purge', async () => {
      succeeds(await run(['install', 'keep', SHOP]));
      succeeds(await run(['uninstall', 'keep', '--keep-history']));
      assert.equal(await historyOf(plane, namespace, 'keep'), 'v1 uninstalled');
      succeeds(await run(['upgrade', '--install', 'keep', SHOP]));
      assert.match(await historyOf(plane, namespace, 'keep'), /v2 deployed$/);
      succeeds(await run(['uninstall', 'keep', '--keep-history']));
      succeeds(await run(['uninstall', 'keep']));
      assert.equal(await historyOf(plane, namespace, 'keep'), '');
    });

    test('install --replace of a kept name', async () => {
      succeeds(await run(['install', 'replace', SHOP]));
      succeeds(await run(['uninstall', 'replace', '--keep-history']));
      succeeds(await run(['install', 'replace', SHOP, '--replace']));
      assert.match(await historyOf(plane, namespace, 'replace'), /v2 deployed$/);
    });

    test('forced replacement of objects', async () => {
      succeeds(await run(['install', 'force', SHOP]));
      const force = helm === 'helm3' ? ['--force'] : ['--force-replace', '--server-side=false'];
      succeeds(await run(['upgrade', 'force', SHOP, '--set', 'image=nginx:1.29', ...force]));
      assert.equal(await historyOf(plane, namespace, 'force'), 'v1 superseded, v2 deployed');
    });

    test('an install that creates its namespace', async () => {
      succeeds(await plane[helm](['install', 'own', SHOP, '-n', `${namespace}-own`, '--create-namespace']));
      succeeds(await plane[helm](['uninstall', 'own', '-n', `${namespace}-own`]));
      succeeds(await plane.kubectl(['delete', 'namespace', `${namespace}-own`, '--timeout=60s']));
    });

    test('a namespace with a release in it is deleted', async () => {
      succeeds(await plane[helm](['install', 'gone', SHOP, '-n', `${namespace}-gone`, '--create-namespace']));
      succeeds(await plane.kubectl(['delete', 'namespace', `${namespace}-gone`, '--timeout=60s']));
    });

    test('dry runs write nothing and hold nothing', async () => {
      succeeds(await run(['install', 'dry', SHOP, '--dry-run=server']));
      assert.equal(await historyOf(plane, namespace, 'dry'), '');
      succeeds(await run(['install', 'dry', SHOP]));
    });

    test('records in ConfigMaps', async () => {
      const env = { HELM_DRIVER: 'configmap' };
      const inConfigMaps = (args: readonly string[]) => plane[helm]([...args, '-n', namespace], { as: ci, env });
      succeeds(await inConfigMaps(['install', 'maps', SHOP]));
      succeeds(await inConfigMaps(['upgrade', 'maps', SHOP, '--set', 'image=nginx:1.28']));
      succeeds(await inConfigMaps(['rollback', 'maps', '1']));
      succeeds(await inConfigMaps(['uninstall', 'maps']));
    });

    test('a release killed midway is stuck for helm, and deleted by its administrator once it is declared dead', async () => {
      succeeds(await run(['install', 'killed', SHOP]));
      const args = ['upgrade', 'killed', SHOP, '-n', namespace, '--set', 'hooks.preUpgradeDelay=60s'];
      const child = plane.spawn(helm, args, { as: ci });
      await waitForStatus(plane, namespace, 'killed', 'pending-upgrade');
      child.kill('SIGKILL');
      const reason = 'belay.dev/break=the job was killed';
      succeeds(await plane.kubectl(['annotate', 'secret', '-n', namespace, 'sh.helm.release.v1.killed.v2', reason]));
      succeeds(await run(['rollback', 'killed', '1']));
      assert.equal(await historyOf(plane, namespace, 'killed'), 'v1 superseded, v2 pending-upgrade, v3 deployed');
      succeeds(await run(['upgrade', 'killed', SHOP, '--set', 'greeting=next']));
    });
  });
}

test('Helm 4 takes over what Helm 3 installed, and the other way round', async () => {
  await makeNamespace(plane, 'mixed', { editors: ['ci'] });
  const run = (helm: (typeof HELMS)[number], args: readonly string[]) =>
    plane[helm]([...args, '-n', 'mixed'], { as: ci });
  succeeds(await run('helm3', ['install', 'mixed', SHOP]));
  succeeds(await run('helm4', ['upgrade', 'mixed', SHOP, '--set', 'image=nginx:1.28']));
  succeeds(await run('helm3', ['upgrade', 'mixed', SHOP, '--set', 'image=nginx:1.29']));
  succeeds(await run('helm4', ['rollback', 'mixed', '1']));
  succeeds(await run('helm3', ['uninstall', 'mixed']));
});
