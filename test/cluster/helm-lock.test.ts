import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { buildBelay } from './harness/install-belay.ts';
import { SHORT_INTERVALS } from './harness/short-intervals.ts';
import { waitUntil } from './harness/wait-until.ts';
import {
  fails,
  HELMS,
  historyOf,
  inBackground,
  makeNamespace,
  revisionsOf,
  SHOP,
  succeeds,
  waitForHook,
  waitForStatus,
} from './support/asking.ts';
import { createLockCommand, hasTerminal, type LockCommand, readLease } from './support/lock-command.ts';
import { applyPolicy } from './support/policies.ts';

/** `belay lock`, which is `helm lock`, with real Helm 3 and 4: with Belay in the cluster, and without. */

/** What begins a command to a terminal. */
const ESCAPE = '\u001b';

let plane: ControlPlane;
let lock: LockCommand;
let dev: string;

/** Without Belay, and without nodes: the pods of hooks wait. */
let bare: ControlPlane;
let bareLock: LockCommand;

before(async () => {
  [plane, bare] = await Promise.all([
    startControlPlane({ quiet: true, pods: true, belay: { staleAfter: '10m' } }),
    startControlPlane({ quiet: true }),
  ]);
  await buildBelay();
  dev = await plane.user('dev');
  [lock, bareLock] = [createLockCommand(plane), createLockCommand(bare)];
});
after(async () => {
  lock?.stop();
  bareLock?.stop();
  await Promise.all([plane?.stop(), bare?.stop()]);
});

const place = async (namespace: string): Promise<string> => {
  await makeNamespace(plane, namespace, { editors: ['dev'] });
  return namespace;
};

const slowly = (delay: string): readonly string[] => ['--set', `hooks.preUpgradeDelay=${delay}`];

/** A Helm plugin that hands on to Helm, as helm-secrets does when it has decrypted. */
const addWrapperPlugin = async (): Promise<void> => {
  const dir = join(plane.dir, 'home', 'helm', 'data', 'plugins', 'secrets');
  await mkdir(dir, { recursive: true });
  await writeFile(
    join(dir, 'plugin.yaml'),
    'name: secrets\nversion: 0.1.0\nusage: secrets\ndescription: secrets\ncommand: "$HELM_PLUGIN_DIR/run.sh"\n',
  );
  await writeFile(join(dir, 'run.sh'), '#!/bin/sh\necho "decrypted by the plugin" >&2\nexec "$HELM_BIN" "$@"\n');
  await chmod(join(dir, 'run.sh'), 0o755);
};

/** The crashes are a minute of waiting, in which all others run. */
describe('helm lock', { concurrency: true }, () => {
  describe('step by step', { concurrency: false }, () => {
    for (const helm of HELMS) {
      for (const terminal of [false, true]) {
        const skip = terminal && !hasTerminal() ? 'no script(1) of util-linux here, which makes the terminal' : false;
        test(`every documented command, with ${helm}, ${terminal ? 'on a terminal' : 'in a pipe'}`, {
          skip,
        }, async () => {
          const namespace = await place(`${helm}-${terminal ? 'terminal' : 'pipe'}`);
          await addWrapperPlugin();
          const run = async (...args: readonly string[]): Promise<string> =>
            succeeds(await lock.run(args, { helm, as: dev, terminal }));
          const said = await run('install', 'demo', SHOP, '-n', namespace);
          // Helm 4 colours it where it finds a terminal.
          assert.match(said, /STATUS: \S*deployed/);
          if (helm === 'helm4')
            assert.equal(said.includes(`${ESCAPE}[32m`), terminal, "the terminal is not Helm's own");
          await run('upgrade', '--install', 'web', SHOP, `--namespace=${namespace}`, '--description', 'first');
          await run('upgrade', '--set', 'greeting=a', '-n', namespace, 'web', SHOP, '--lock-timeout', '10m');
          await run('rollback', 'web', '1', '-n', namespace, '--wait');
          await run('secrets', 'upgrade', 'web', SHOP, '-n', namespace, '--set', 'greeting=b');
          const where = ['--kubeconfig', dev, '-n', namespace];
          assert.match(
            await run('any', 'web', '-n', namespace, '--', 'echo', 'hello', '-n', 'there'),
            /hello -n there/,
          );
          await run('uninstall', 'web', 'demo', ...where);
          assert.equal(await historyOf(plane, namespace, 'web'), '');
          assert.equal(await readLease(plane, namespace, 'web'), undefined, 'the lock was not given back');
        });
      }
    }

    test("Helm's exit code and streams are its own, and a failure of ours has its own code", async () => {
      const namespace = await place('codes');
      const at = ['-n', namespace];
      const listed = await lock.run(['any', 'web', ...at, '--', 'sh', '-c', 'echo out; echo err >&2; exit 42'], {
        as: dev,
        intervals: 'shipped',
      });
      assert.deepEqual([listed.code, listed.stdout, listed.stderr], [42, 'out\n', 'err\n']);
      assert.equal((await lock.run(['any', 'web', ...at, '--', 'sh', '-c', 'kill -9 $$'], { as: dev })).code, 137);
      assert.equal((await lock.run(['any', 'web', ...at, '--', 'no-such-program'], { as: dev })).code, 127);
      const missing = await lock.run(['upgrade', 'web', '/no/such/chart', ...at], { as: dev });
      assert.equal(missing.code, 1);
      assert.match(missing.stderr, /no such|not found/);

      const usage = await lock.run(['list']);
      assert.equal(usage.code, 64);
      assert.match(usage.stderr, /changes no release/);
      const denied = await lock.run(['upgrade', 'web', SHOP, '-n', 'default'], { as: dev });
      assert.equal(denied.code, 77);
      assert.match(denied.stderr, /may not do in namespace default/);
      const unreachable = await lock.run(['upgrade', 'web', SHOP, '--kube-apiserver', 'https://127.0.0.1:9']);
      assert.equal(unreachable.code, 69);
      assert.match(unreachable.stderr, /cannot reach the cluster/);
      // Without a lock, because nothing is changed.
      assert.match(succeeds(await lock.run(['upgrade', '--help'])), /helm upgrade \[RELEASE\] \[CHART\]/);
      succeeds(await lock.run(['install', 'web', SHOP, ...at, '--dry-run=client']));
    });

    test('ten upgrades at once all succeed, one after the other, in the order in which they came', {
      timeout: 120_000,
    }, async () => {
      const namespace = await place('ten');
      succeeds(await lock.run(['install', 'web', SHOP, '-n', namespace], { as: dev }));
      // The door is shut until all of them wait.
      const door = lock.start(['any', 'web', '-n', namespace, '--', 'sleep', '600'], { as: dev });
      await waitUntil('the door is shut', async () => (await readLease(plane, namespace, 'web'))?.holder);
      const runs = Array.from({ length: 10 }, (_, i) =>
        lock.start(['upgrade', 'web', SHOP, '-n', namespace, '--description', `run ${i}`, '--set', `greeting=${i}`], {
          as: dev,
          helm: HELMS[i % 2] ?? 'helm4',
        }),
      );
      const lease = await waitUntil('all of them wait', async () => {
        const found = await readLease(plane, namespace, 'web');
        return found?.queue.length === 10 ? found : undefined;
      });
      const order = lease.queue.map((id) => runs.findIndex(({ pid }) => id.includes(` pid ${pid} `)));
      for (const run of runs) assert.match(run.said(), /release web is held by .*any command.*(is next|before this)/);
      door.kill('SIGTERM');
      assert.equal((await door.ended).code, 143);

      for (const run of runs) succeeds(await run.ended);
      const history = JSON.parse(
        succeeds(await plane.helm4(['history', 'web', '-n', namespace, '-o', 'json'])),
      ) as readonly {
        readonly description: string;
      }[];
      assert.deepEqual(
        history.slice(-10).map(({ description }) => description),
        order.map((index) => `run ${index}`),
      );
      assert.equal(await readLease(plane, namespace, 'web'), undefined);
    });

    describe('a release that is at work without the lock', () => {
      test('is waited for, and never rolled back', async () => {
        const namespace = await place('waits');
        succeeds(await lock.run(['install', 'web', SHOP, '-n', namespace], { as: dev }));
        const slow = inBackground(plane, 'helm3', ['upgrade', 'web', SHOP, '-n', namespace, ...slowly('8s')], {
          as: dev,
        });
        await waitForHook(plane, namespace, 'web-migrate');
        const impatient = await lock.run(['upgrade', 'web', SHOP, '-n', namespace, '--lock-timeout', '1s'], {
          as: dev,
        });
        assert.equal(impatient.code, 75);
        assert.match(
          impatient.stderr,
          /gave up after 1s \(--lock-timeout\): release web is at work: upgrade to revision 2 by dev since/,
        );
        const patient = await lock.run(['upgrade', 'web', SHOP, '-n', namespace, '--set', 'greeting=b'], { as: dev });
        succeeds(patient);
        assert.match(patient.stderr, /upgrade to revision 2 by dev since/);
        assert.equal((await slow.ended).code, 0);
        assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 superseded, v3 deployed');
      });

      test('is waited for again when it was faster', async () => {
        const namespace = await place('faster');
        succeeds(await lock.run(['install', 'web', SHOP, '-n', namespace], { as: dev }));
        succeeds(await lock.run(['upgrade', 'web', SHOP, '-n', namespace], { as: dev }));
        // A Helm that lets another one go first, once. A rollback looks at nothing: it is Belay that refuses it.
        const helm = join(plane.dir, 'late-helm.sh');
        const other = `"${plane.bin.helm4}" upgrade web ${SHOP} -n ${namespace} --set hooks.preUpgradeDelay=4s >/dev/null 2>&1`;
        await writeFile(
          helm,
          `#!/bin/sh\nif [ ! -e ${helm}.once ]; then touch ${helm}.once; ${other} & sleep 2; fi\nexec "${plane.bin.helm4}" "$@"\n`,
        );
        await chmod(helm, 0o755);
        const result = await lock.run(['rollback', 'web', '1', '-n', namespace], { as: dev, env: { HELM_BIN: helm } });
        succeeds(result);
        assert.match(result.stderr, /BelayOperationInFlight/);
        assert.match(result.stderr, /somebody was faster, and nothing was changed: waiting again/);
        assert.equal(
          await historyOf(plane, namespace, 'web'),
          'v1 superseded, v2 superseded, v3 superseded, v4 deployed',
        );
      });
    });

    describe('a release that failed', () => {
      for (const helm of HELMS) {
        test(`is rolled back first, with ${helm}; a first install is cleared`, async () => {
          const namespace = await place(`failed-${helm}`);
          const run = (...args: readonly string[]) => lock.run([...args, '-n', namespace], { helm, as: dev });
          fails(await run('install', 'web', SHOP, '--set', 'badPort=true'), /99999/);
          assert.equal(await historyOf(plane, namespace, 'web'), 'v1 failed');
          const installed = await run('install', 'web', SHOP);
          succeeds(installed);
          assert.match(installed.stderr, /revision 1 failed; clearing it first \(--no-recover turns that off\)/);
          assert.equal(await historyOf(plane, namespace, 'web'), 'v1 deployed');

          fails(await run('upgrade', 'web', SHOP, '--set', 'badPort=true'), /99999/);
          const upgraded = await run('upgrade', 'web', SHOP, '-o', 'json');
          assert.equal(JSON.parse(succeeds(upgraded)).version, 4, "stdout is the command's alone");
          assert.match(upgraded.stderr, /revision 2 failed; rolling back to revision 1 first/);
          assert.equal(
            await historyOf(plane, namespace, 'web'),
            'v1 superseded, v2 failed, v3 superseded, v4 deployed',
          );

          fails(await run('upgrade', 'web', SHOP, '--set', 'badPort=true'), /99999/);
          succeeds(await run('upgrade', 'web', SHOP, '--no-recover'));
          assert.match(await historyOf(plane, namespace, 'web'), /v5 failed, v6 deployed$/);

          fails(await run('upgrade', '--install', 'new', SHOP, '--set', 'badPort=true'), /99999/);
          // Without any value Helm would take those of the revision that failed.
          succeeds(await run('upgrade', '--install', 'new', SHOP, '--set', 'badPort=false'));
          assert.equal(await historyOf(plane, namespace, 'new'), 'v1 superseded, v2 deployed');
        });
      }
    });

    test('a pipeline that must not fail on a lock', async () => {
      const namespace = await place('pipeline');
      const run = (...args: readonly string[]) => lock.run([...args, '-n', namespace], { as: dev });
      succeeds(await run('upgrade', '--install', 'web', SHOP, '--only-newer'));
      const same = await run('upgrade', 'web', SHOP, '--only-newer');
      succeeds(same);
      assert.match(
        same.stderr,
        /nothing done: chart shop 1\.4\.0 is not newer than 1\.4\.0, which is deployed as revision 1/,
      );

      const annotate = (what: string) =>
        plane.kubectl(['annotate', 'secret', '-n', namespace, '-l', 'owner=helm,name=web', what]);
      succeeds(await annotate('belay.dev/freeze=black friday'));
      fails(await run('upgrade', 'web', SHOP), /BelayFrozen/);
      const skipped = await run('upgrade', 'web', SHOP, '--skip-locked');
      succeeds(skipped);
      assert.match(skipped.stderr, /nothing done: release web is frozen by belay-test-admin: black friday/);
      succeeds(await annotate('belay.dev/freeze-'));

      succeeds(await annotate('belay.dev/pin=1.3.x'));
      fails(await run('upgrade', 'web', SHOP), /BelayPinned/);
      const pinned = await run('upgrade', 'web', SHOP, '--skip-locked');
      succeeds(pinned);
      assert.match(pinned.stderr, /BelayPinned[\s\S]*nothing done: the release is locked/);
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 deployed');
    });

    test('a signal ends a wait, and goes on to Helm', async () => {
      const namespace = await place('signals');
      const at = ['-n', namespace];
      succeeds(await lock.run(['install', 'web', SHOP, ...at], { as: dev }));
      const running = lock.start(['upgrade', 'web', SHOP, ...at, ...slowly('60s')], { as: dev });
      await waitForHook(plane, namespace, 'web-migrate');
      const waiting = lock.start(['upgrade', 'web', SHOP, ...at], { as: dev });
      await waitUntil(
        'it waits',
        async () => (await readLease(plane, namespace, 'web'))?.queue.length === 1 || undefined,
      );
      waiting.kill('SIGINT');
      assert.equal((await waiting.ended).code, 130);
      assert.deepEqual((await readLease(plane, namespace, 'web'))?.queue, []);
      running.kill('SIGTERM');
      const { code, stderr } = await running.ended;
      assert.notEqual(code, 0);
      assert.match(stderr, /SIGTERM: waiting for the command to end/);
      await waitForStatus(plane, namespace, 'web', 'failed');
      assert.equal(await readLease(plane, namespace, 'web'), undefined);
    });

    test('on a terminal, the wait is one line, and Ctrl-C reaches whoever is to be told, once', {
      skip: !hasTerminal() && 'no script(1) of util-linux here, which makes the terminal',
    }, async () => {
      const namespace = await place('ctrl-c');
      const at = ['any', 'web', '-n', namespace];
      const polite = 'trap "echo interrupted" INT; sleep 600; echo once more; sleep 1; exit 7';
      const door = lock.start([...at, '--', 'sh', '-c', polite], { as: dev, terminal: true });
      await waitUntil('the door is shut', async () => (await readLease(plane, namespace, 'web'))?.holder);
      const impatient = await lock.run([...at, '--lock-timeout', '3s', '--', 'true'], { as: dev, terminal: true });
      assert.equal(impatient.code, 75, impatient.stdout);
      const lines = impatient.stdout.split(`\r${ESCAPE}[2K`);
      assert.ok(
        lines.some((line) => /^lock: release web is held by .*\(waiting for 1s\)$/.test(line)),
        impatient.stdout,
      );
      assert.match(impatient.stdout, /gave up after 3s/);

      const waiting = lock.start([...at, '--', 'true'], { as: dev, terminal: true });
      await waitUntil('it waits', async () => /waiting for/.test(waiting.said()) || undefined);
      waiting.type('\u0003');
      assert.equal((await waiting.ended).code, 130);
      assert.equal((await readLease(plane, namespace, 'web'))?.queue.length, 0);

      door.type('\u0003');
      const { code, stdout } = await door.ended;
      assert.equal(code, 7, stdout);
      assert.equal(stdout.match(/interrupted/g)?.length, 1, stdout);
      assert.equal(await readLease(plane, namespace, 'web'), undefined);
    });

    test('without Belay, a release at work is never touched by a waiter, and one whose Helm was ended is brought back at once', async () => {
      const namespace = 'alone';
      await makeNamespace(bare, namespace, {});
      const at = ['-n', namespace];
      const env = { HELM_DRIVER: 'configmap' };
      const run = (args: readonly string[]) => bareLock.run([...args, ...at], { env, helm: 'helm3' });
      const history = async () =>
        (await revisionsOf(bare, namespace, 'web', 'configmap'))
          .map(({ revision, status }) => `v${revision} ${status}`)
          .join(', ');
      succeeds(await run(['install', 'web', SHOP]));
      const slow = inBackground(bare, 'helm3', ['upgrade', 'web', SHOP, ...at, ...slowly('1s')], { env });
      await waitForHook(bare, namespace, 'web-migrate');
      const impatient = await run(['upgrade', 'web', SHOP, '--lock-timeout', '2s']);
      assert.equal(impatient.code, 75);
      assert.match(
        impatient.stderr,
        /upgrade to revision 2 since .*\n.*nothing in the cluster tells whether that is alive/,
      );
      assert.equal(await history(), 'v1 deployed, v2 pending-upgrade');
      await slow.kill();
      succeeds(await bare.helm3(['rollback', 'web', '1', ...at, '--no-hooks'], { env }));

      const own = bareLock.start(['upgrade', 'web', SHOP, ...at, ...slowly('1s')], { env, helm: 'helm3' });
      await waitUntil('it is pending', async () => (await history()).endsWith('v4 pending-upgrade') || undefined);
      // A Helm that does not end by itself: twice asked, it is killed.
      process.kill(-own.pid, 'SIGSTOP');
      own.kill('SIGCONT');
      own.kill('SIGTERM');
      await waitUntil('it has been told', async () => /SIGTERM: waiting/.test(own.said()) || undefined);
      own.kill('SIGTERM');
      assert.equal((await own.ended).code, 137);
      const next = await run(['upgrade', 'web', SHOP]);
      succeeds(next);
      assert.match(next.stderr, /is stuck \(pending-upgrade\): its Helm was ended; rolling back to revision 3 first/);
      assert.equal(await readLease(bare, namespace, 'web'), undefined);
    });
  });

  /** All of these wait for the same minute. */
  describe('a crash is seen in under a minute', { concurrency: true, timeout: 170_000 }, () => {
    const NEXT = ['upgrade', 'web', SHOP, '--set', 'greeting=next'];

    test('kill -9 of the wrapper and its Helm: the next one takes over, though an operation may be silent for 10m', async () => {
      const namespace = await place('killed');
      succeeds(await lock.run(['install', 'web', SHOP, '-n', namespace], { as: dev }));
      const run = lock.start(['upgrade', 'web', SHOP, '-n', namespace, ...slowly('300s')], { as: dev });
      await waitForHook(plane, namespace, 'web-migrate');
      await shortened(namespace);
      const killedAtMs = Date.now();
      run.killAll();
      const running = lock.start([...NEXT, '-n', namespace], { as: dev });
      await waitUntil('the crash is seen', async () => /rolling back/.test(running.said()) || undefined);
      assert.ok(Date.now() - killedAtMs < 60_000, `it was seen after ${Date.now() - killedAtMs} ms`);
      const next = await running.ended;
      succeeds(next);
      assert.match(next.stderr, /to revision 2 is stuck \(pending-upgrade\).*rolling back to revision 1 first/);
      assert.equal(
        await historyOf(plane, namespace, 'web'),
        'v1 superseded, v2 pending-upgrade, v3 superseded, v4 deployed',
      );
    });

    test('kill -9 of the wrapper alone: its orphaned Helm is fenced', async () => {
      const namespace = await place('orphan');
      succeeds(await lock.run(['install', 'web', SHOP, '-n', namespace], { as: dev }));
      const run = lock.start(['upgrade', 'web', SHOP, '-n', namespace, ...slowly('40s')], { as: dev, helm: 'helm3' });
      await waitForHook(plane, namespace, 'web-migrate');
      await shortened(namespace);
      run.kill('SIGKILL');
      succeeds(await lock.run([...NEXT, '-n', namespace], { as: dev, helm: 'helm3' }));
      assert.match(await historyOf(plane, namespace, 'web'), /v2 pending-upgrade, v3 superseded, v4 deployed$/);
      assert.deepEqual(await greeting(namespace), 'next');
      await waitUntil('the orphan has ended', async () => isGroupGone(run.pid), { timeoutMs: 60_000 });
      assert.match(await historyOf(plane, namespace, 'web'), /v2 pending-upgrade, v3 superseded, v4 deployed$/);
      assert.deepEqual(await greeting(namespace), 'next');
    });

    test('a first install that is stuck is cleared', async () => {
      const namespace = await place('stuck');
      succeeds(await plane.kubectl(['create', 'quota', 'none', '-n', namespace, '--hard=pods=0']));
      const run = lock.start(['install', 'web', SHOP, '-n', namespace, '--wait'], { as: dev });
      await waitForStatus(plane, namespace, 'web', 'pending-install');
      await shortened(namespace);
      run.killAll();
      succeeds(await plane.kubectl(['delete', 'quota', 'none', '-n', namespace]));
      const next = await lock.run(['install', 'web', SHOP, '-n', namespace, '--wait'], { as: dev });
      succeeds(next);
      assert.match(next.stderr, /install to revision 1 is stuck \(pending-install\).*clearing it first/);
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 deployed');
    });

    test('a hook that takes longer than an operation may be silent is not overtaken while it is renewed', async () => {
      const namespace = await place('renewed');
      const match = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
      await applyPolicy(plane, 'impatient', { priority: 9, match, operations: { staleAfter: '12s' } });
      succeeds(await lock.run(['install', 'web', SHOP, '-n', namespace], { as: dev }));
      const run = lock.start(['upgrade', 'web', SHOP, '-n', namespace, ...slowly('30s')], { as: dev });
      await waitForHook(plane, namespace, 'web-migrate');
      await new Promise((resolve) => setTimeout(resolve, 20_000));
      fails(await plane.helm4(['rollback', 'web', '-n', namespace], { as: dev }), /BelayOperationInFlight/);
      succeeds(await run.ended);
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 deployed');
    });

    test('without Belay, a release whose wrapper and Helm have vanished is brought back once it is sure', async () => {
      const namespace = 'vanished';
      await makeNamespace(bare, namespace, {});
      const at = ['-n', namespace];
      const installed = await bareLock.run(['install', 'web', SHOP, ...at]);
      succeeds(installed);
      assert.equal(installed.stderr.match(/Belay is not in this cluster/g)?.length, 1);
      const run = bareLock.start(['upgrade', 'web', SHOP, ...at, ...slowly('1s'), '--timeout', '5s']);
      await waitForHook(bare, namespace, 'web-migrate');
      run.killAll();
      const next = await bareLock.run(['upgrade', 'web', SHOP, ...at]);
      succeeds(next);
      assert.match(next.stderr, /whoever began it has vanished, and unless it moves it counts as dead in/);
      assert.match(next.stderr, /rolling back to revision 1 first/);
      assert.equal(
        await historyOf(bare, namespace, 'web'),
        'v1 superseded, v2 pending-upgrade, v3 superseded, v4 deployed',
      );
    });
  });
});

/** Resolves when the wrapper has shortened the time after which its operation counts as dead. */
const shortened = (namespace: string): Promise<true> =>
  waitUntil('the claim is renewed by the wrapper', async () => {
    const seconds = await plane.api.field('lease/belay.web', '.spec.leaseDurationSeconds', { namespace });
    return Number(seconds) * 1000 === SHORT_INTERVALS.lock.silenceMs || undefined;
  });

const greeting = (namespace: string): Promise<string> =>
  plane.api.field('configmap/web', '.data.GREETING', { namespace });

const isGroupGone = (pid: number): true | undefined => {
  try {
    process.kill(-pid, 0);
    return undefined;
  } catch {
    return true;
  }
};
