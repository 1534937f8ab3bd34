import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandResult, type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import {
  type Background,
  fails,
  HELMS,
  type Helm,
  historyOf,
  inBackground,
  isDenied,
  letHookPass,
  makeNamespace,
  revisionsOf,
  SHOP,
  succeeds,
  untouched,
  waitForHook,
  waitForStatus,
} from './support/asking.ts';

/**
 * What a denial leaves behind, by real causes. The plane has no nodes: a hook's pod waits until the test lets it succeed, so that an
 * operation stays in flight for as long as the test wants it to.
 */

/** With it an upgrade or a rollback runs a hook, and stays pending while that runs. */
const SLOW = ['--set', 'hooks.preUpgradeDelay=1s'];

const asHelmSaysIt = /admission webhook "records\.belay\.dev" denied the request: /;
const uninstallFailed = /failed to delete release: /;
const helmsOwnRefusal = /another operation \(install\/upgrade\/rollback\) is in progress/;
const nameInUse = /cannot re-?use a name that is still in use/;

describe('while an operation is in flight, and while frozen', () => {
  let plane: ControlPlane;
  let users: Record<'ci' | 'dev' | 'sre', string>;
  let running: Background[] = [];

  before(async () => {
    plane = await startControlPlane({ quiet: true, belay: {} });
    const [ci, dev, sre] = await Promise.all(['ci', 'dev', 'sre'].map((name) => plane.user(name)));
    assert.ok(ci && dev && sre);
    users = { ci, dev, sre };
  });
  afterEach(async () => {
    await Promise.all(running.map((helm) => helm.kill()));
    running = [];
  });
  after(() => plane?.stop());

  for (const helm of HELMS) {
    describe(`with ${helm}`, () => {
      const namespace = `denials-${helm}`;
      const run = (who: keyof typeof users, ...args: readonly string[]) =>
        plane[helm]([...args, '-n', namespace], { as: users[who] });
      const kubectl = (who: keyof typeof users, ...args: readonly string[]) =>
        plane.kubectl([...args, '-n', namespace], { as: users[who] });
      const history = (release: string) => historyOf(plane, namespace, release);
      const unchanged = (attempt: () => Promise<CommandResult>) => untouched(plane, namespace, attempt);
      const freeze = async (release: string, reason = 'audit week') => {
        const selector = `owner=helm,name=${release}`;
        succeeds(await kubectl('dev', 'annotate', 'secret', '-l', selector, `belay.dev/freeze=${reason}`));
      };
      const start = (...args: readonly string[]): Background => {
        const started = inBackground(plane, helm, [...args, '-n', namespace], { as: users.ci });
        running.push(started);
        return started;
      };
      /** An upgrade to revision 2 by ci, which waits for its hook. */
      const upgradeInFlight = async (release: string, ...args: readonly string[]): Promise<Background> => {
        const started = start('upgrade', release, SHOP, ...SLOW, ...args);
        await waitForHook(plane, namespace, `${release}-migrate`);
        await waitForStatus(plane, namespace, release, 'pending-upgrade');
        return started;
      };

      before(() => makeNamespace(plane, namespace, { editors: ['ci', 'dev'], admins: ['sre'] }));

      test('during an upgrade, others change neither the release nor its objects, and it runs to its end', async () => {
        succeeds(await run('ci', 'install', 'busy', SHOP));
        const upgrade = await upgradeInFlight('busy', '--set', 'greeting=new');
        const holder = [/upgrade to revision 2 by ci/, /belay\.dev\/break/];
        isDenied(
          await unchanged(() => run('dev', 'rollback', 'busy', '1')),
          'BelayOperationInFlight',
          asHelmSaysIt,
          ...holder,
        );
        for (const flags of [[], ['--keep-history'], ['--no-hooks'], ['--wait']])
          fails(await unchanged(() => run('dev', 'uninstall', 'busy', ...flags)), uninstallFailed);
        fails(await unchanged(() => run('dev', 'upgrade', 'busy', SHOP)), helmsOwnRefusal);
        fails(await unchanged(() => run('dev', 'upgrade', '--install', 'busy', SHOP)), helmsOwnRefusal);
        fails(await unchanged(() => run('dev', 'install', 'busy', SHOP)), nameInUse);
        fails(await unchanged(() => run('dev', 'install', '--replace', 'busy', SHOP)), nameInUse);
        isDenied(
          await unchanged(() => kubectl('dev', 'delete', 'service', 'busy')),
          'BelayOperationInFlight',
          /deletion of Service busy/,
          ...holder,
        );
        isDenied(
          await unchanged(() => kubectl('dev', 'set', 'image', 'deployment/busy', 'web=nginx:1')),
          'BelayDrift',
          /revision 2/,
        );
        // The holder may create its objects anew, and its own uninstall is refused like any other.
        succeeds(await kubectl('ci', 'delete', 'service', 'busy'));
        fails(await unchanged(() => run('ci', 'uninstall', 'busy', '--no-hooks')), uninstallFailed);
        await letHookPass(plane, namespace, 'busy-migrate');
        succeeds(await upgrade.ended);
        assert.equal(await history('busy'), 'v1 superseded, v2 deployed');
        assert.equal(await plane.api.field('configmap/busy', '.data.GREETING', { namespace }), 'new');
      });

      test('the hook of a refused uninstall does not run', async () => {
        const farewell = ['--set', 'hooks.preDelete=true'];
        const notAdmitted = /no uninstall by this user was admitted/;
        succeeds(await run('ci', 'install', 'kept', SHOP, ...farewell));
        const upgrade = await upgradeInFlight('kept', ...farewell);
        for (const user of ['dev', 'ci'] as const) {
          isDenied(await unchanged(() => run(user, 'uninstall', 'kept')), 'BelayOperationInFlight', notAdmitted);
        }
        await letHookPass(plane, namespace, 'kept-migrate');
        succeeds(await upgrade.ended);
        await freeze('kept');
        isDenied(
          await unchanged(() => run('dev', 'uninstall', 'kept')),
          'BelayFrozen',
          /creation of Job kept-farewell/,
          notAdmitted,
        );
      });

      test('during a rollback and during an uninstall, everything else is refused', async () => {
        const farewell = ['--set', 'hooks.preDelete=true'];
        succeeds(await run('ci', 'install', 'back', SHOP, ...SLOW, ...farewell));
        succeeds(await run('ci', 'upgrade', 'back', SHOP, ...farewell));
        const rollback = start('rollback', 'back', '1');
        await waitForHook(plane, namespace, 'back-migrate');
        await waitForStatus(plane, namespace, 'back', 'pending-rollback');
        const byRollback = /rollback to revision 3 by ci/;
        isDenied(
          await unchanged(() => run('dev', 'rollback', 'back', '2')),
          'BelayOperationInFlight',
          asHelmSaysIt,
          byRollback,
        );
        fails(await unchanged(() => run('dev', 'uninstall', 'back', '--no-hooks')), uninstallFailed);
        await letHookPass(plane, namespace, 'back-migrate');
        succeeds(await rollback.ended);

        const uninstall = start('uninstall', 'back');
        await waitForHook(plane, namespace, 'back-farewell');
        await waitForStatus(plane, namespace, 'back', 'uninstalling');
        const byUninstall = /uninstall of revision 3 by ci/;
        isDenied(
          await unchanged(() => run('dev', 'rollback', 'back', '1')),
          'BelayOperationInFlight',
          asHelmSaysIt,
          byUninstall,
        );
        const upgraded = await unchanged(() => run('dev', 'upgrade', 'back', SHOP));
        fails(upgraded, /BelayOperationInFlight|another operation|has no deployed releases|uninstall/);
        fails(await unchanged(() => run('dev', 'uninstall', 'back', '--no-hooks')), uninstallFailed);
        fails(await unchanged(() => run('dev', 'install', 'back', SHOP)), nameInUse);
        await letHookPass(plane, namespace, 'back-farewell');
        succeeds(await uninstall.ended);
        assert.equal(await history('back'), '');
      });

      test('during a first install, rollback, uninstall and upgrade are refused', async () => {
        start('install', 'first', SHOP, '--wait'); // without nodes the Deployment never becomes ready
        await waitUntil('the Deployment of the install', () => plane.api.find('deployment/first', { namespace }));
        assert.equal(await history('first'), 'v1 pending-install');
        isDenied(
          await unchanged(() => run('dev', 'rollback', 'first', '1')),
          'BelayOperationInFlight',
          asHelmSaysIt,
          /install to revision 1 by ci/,
        );
        fails(await unchanged(() => run('dev', 'uninstall', 'first')), uninstallFailed);
        fails(await unchanged(() => run('ci', 'uninstall', 'first')), uninstallFailed);
        fails(await unchanged(() => run('dev', 'upgrade', 'first', SHOP)), helmsOwnRefusal);
        fails(await unchanged(() => run('dev', 'upgrade', '--install', 'first', SHOP)), helmsOwnRefusal);
        fails(await unchanged(() => run('dev', 'install', '--replace', 'first', SHOP)), nameInUse);
      });

      test('a frozen release: upgrade, rollback, uninstall and pruning fail, and leave everything as it was', async () => {
        succeeds(await run('ci', 'install', 'cold', SHOP));
        succeeds(await run('ci', 'upgrade', 'cold', SHOP, '--set', 'greeting=two'));
        await freeze('cold');
        const why = [asHelmSaysIt, /audit week/, /by dev/, /belay\.dev\/freeze-/];
        for (const args of [
          ['upgrade', 'cold', SHOP, '--set', 'greeting=three'],
          ['upgrade', '--install', 'cold', SHOP],
          ['rollback', 'cold', '1'],
        ])
          isDenied(await unchanged(() => run('ci', ...args)), 'BelayFrozen', ...why);
        for (const flags of [[], ['--keep-history'], ['--no-hooks'], ['--wait'], ['--cascade=foreground']])
          fails(await unchanged(() => run('ci', 'uninstall', 'cold', ...flags)), uninstallFailed);
        fails(
          await unchanged(() => run('ci', 'upgrade', 'cold', SHOP, '--history-max', '2')),
          /encountered \d+ deletion errors|BelayFrozen/,
        );
        fails(
          await unchanged(() => run('ci', 'rollback', 'cold', '1', '--history-max', '2')),
          /deletion errors|BelayFrozen/,
        );
        isDenied(await unchanged(() => kubectl('dev', 'delete', 'deployment', 'cold')), 'BelayFrozen');
        isDenied(await unchanged(() => kubectl('dev', 'scale', 'deployment', 'cold', '--replicas=9')), 'BelayFrozen');
        succeeds(await unchanged(() => run('ci', 'upgrade', 'cold', SHOP, '--dry-run=server')));
        succeeds(await unchanged(() => run('ci', 'get', 'all', 'cold')));
      });

      test('what an overtaken helm still writes is refused, and the release stays as it was rolled back', async () => {
        succeeds(await run('ci', 'install', 'late', SHOP, '--set', 'extraConfig.a=1'));
        const overtaken = await upgradeInFlight('late', '--set', 'greeting=late,image=nginx:1.28');
        const record = 'sh.helm.release.v1.late.v2';
        const dead = 'belay.dev/break=the runner is gone';
        isDenied(await unchanged(() => kubectl('dev', 'annotate', 'secret', record, dead)), 'BelayLockForbidden');
        succeeds(await kubectl('sre', 'annotate', 'secret', record, dead));
        succeeds(await run('dev', 'rollback', 'late', '1'));
        assert.equal(await history('late'), 'v1 superseded, v2 pending-upgrade, v3 deployed');
        const failed = await unchanged(async () => {
          await letHookPass(plane, namespace, 'late-migrate');
          return overtaken.ended;
        });
        fails(failed, /\[Belay(Drift|Fenced)\]/);
        // The next one finds a release as any other.
        succeeds(await run('ci', 'upgrade', 'late', SHOP));
        assert.match(await history('late'), /v2 pending-upgrade, v3 superseded, v4 deployed$/);
      });

      test('one that was declared dead, but not overtaken, changes no objects; it may say that it failed', async () => {
        succeeds(await run('ci', 'install', 'broken', SHOP));
        const helmProcess = await upgradeInFlight('broken', '--set', 'greeting=late');
        const dead = 'belay.dev/break=the runner is gone';
        succeeds(await kubectl('sre', 'annotate', 'secret', 'sh.helm.release.v1.broken.v2', dead));
        await letHookPass(plane, namespace, 'broken-migrate');
        isDenied(await helmProcess.ended, 'BelayDrift', /GREETING: "hello" -> "late"/);
        assert.equal(await history('broken'), 'v1 deployed, v2 failed');
        assert.equal(await plane.api.field('configmap/broken', '.data.GREETING', { namespace }), 'hello');
        assert.deepEqual((await revisionsOf(plane, namespace, 'broken')).at(-1)?.annotations, {});
        succeeds(await run('dev', 'upgrade', 'broken', SHOP));
      });
    });
  }
});

// All of them wait for the same moment, so they do it at the same time, each in a namespace of its own.
describe('when nothing is heard of an operation any more', { concurrency: true }, () => {
  let plane: ControlPlane;
  let users: Record<'ci' | 'dev', string>;
  /** Long enough for all the questions before it, short enough to wait for. */
  const staleAfterMs = 30_000;

  before(async () => {
    plane = await startControlPlane({ quiet: true, belay: { staleAfter: `${staleAfterMs / 1000}s` } });
    const [ci, dev] = await Promise.all(['ci', 'dev'].map((name) => plane.user(name)));
    assert.ok(ci && dev);
    users = { ci, dev };
  });
  after(() => plane?.stop());

  /** A namespace of its own for one test, and what is done there. */
  const inNamespace = async (helm: Helm, release: string) => {
    const namespace = `stale-${helm}-${release}`;
    await makeNamespace(plane, namespace, { editors: ['ci', 'dev'] });
    const run = (who: keyof typeof users, ...args: readonly string[]) =>
      plane[helm]([...args, '-n', namespace], { as: users[who] });
    return {
      namespace,
      run,
      start: (...args: readonly string[]) => inBackground(plane, helm, [...args, '-n', namespace], { as: users.ci }),
      unchanged: (attempt: () => Promise<CommandResult>) => untouched(plane, namespace, attempt),
      history: () => historyOf(plane, namespace, release),
      /** Resolves when nothing has been heard of the operation for so long that it counts as dead. */
      untilStale: async () => {
        const names = ['secret,lease', '-n', namespace, '-o', 'json', '--show-managed-fields'];
        const { items } = JSON.parse(succeeds(await plane.kubectl(['get', ...names]))) as {
          items: readonly { metadata: { managedFields?: { time: string }[] }; spec?: { renewTime?: string } }[];
        };
        const heard = items.flatMap(({ metadata, spec }) => [
          ...(metadata.managedFields ?? []).map(({ time }) => time),
          spec?.renewTime ?? '',
        ]);
        const lastHeardMs = Math.max(...heard.map((time) => Date.parse(time) || 0));
        await sleep(lastHeardMs + staleAfterMs + 1_000 - Date.now());
      },
    };
  };

  for (const helm of HELMS) {
    test(`${helm}: an upgrade that was killed is rolled back by somebody else, then upgraded`, async () => {
      const { namespace, run, start, unchanged, untilStale, history } = await inNamespace(helm, 'web');
      succeeds(await run('ci', 'install', 'web', SHOP));
      const doomed = start('upgrade', 'web', SHOP, ...SLOW, '--set', 'greeting=doomed');
      await waitForHook(plane, namespace, 'web-migrate');
      await doomed.kill();
      isDenied(await unchanged(() => run('dev', 'rollback', 'web', '1')), 'BelayOperationInFlight', /stale from/);
      fails(await unchanged(() => run('dev', 'uninstall', 'web')), uninstallFailed);
      await untilStale();
      // Without its claim nobody could tell any more whose operation it was.
      const lease = ['delete', 'lease', 'belay.web', '-n', namespace];
      isDenied(await unchanged(() => plane.kubectl(lease, { as: users.dev })), 'BelayClaimGuarded');
      succeeds(await run('dev', 'rollback', 'web', '1'));
      assert.equal(await history(), 'v1 superseded, v2 pending-upgrade, v3 deployed');
      succeeds(await run('dev', 'upgrade', 'web', SHOP));
    });

    test(`${helm}: a first install that was killed is uninstalled, and installed again`, async () => {
      const { namespace, run, start, unchanged, untilStale, history } = await inNamespace(helm, 'first');
      const doomed = start('install', 'first', SHOP, '--wait');
      await waitUntil('the Deployment of the install', () => plane.api.find('deployment/first', { namespace }));
      await doomed.kill();
      fails(await unchanged(() => run('dev', 'uninstall', 'first')), uninstallFailed);
      await untilStale();
      // Helm itself lets nobody upgrade over a pending revision, nor use its name, however old it is.
      fails(await unchanged(() => run('dev', 'upgrade', '--install', 'first', SHOP)), helmsOwnRefusal);
      fails(await unchanged(() => run('dev', 'install', 'first', SHOP)), nameInUse);
      succeeds(await run('dev', 'uninstall', 'first'));
      assert.equal(await history(), '');
      succeeds(await run('dev', 'upgrade', '--install', 'first', SHOP));
      assert.equal(await history(), 'v1 deployed');
    });

    test(`${helm}: an uninstall that was killed is finished by the next one`, async () => {
      const { namespace, run, start, unchanged, untilStale, history } = await inNamespace(helm, 'half');
      succeeds(await run('ci', 'install', 'half', SHOP, '--set', 'hooks.preDelete=true'));
      const doomed = start('uninstall', 'half');
      await waitForHook(plane, namespace, 'half-farewell');
      await waitForStatus(plane, namespace, 'half', 'uninstalling');
      await doomed.kill();
      fails(await unchanged(() => run('dev', 'uninstall', 'half', '--no-hooks')), uninstallFailed);
      await untilStale();
      succeeds(await run('dev', 'uninstall', 'half', '--no-hooks'));
      assert.equal(await history(), '');
    });
  }
});
