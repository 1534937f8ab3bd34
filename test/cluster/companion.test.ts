import assert from 'node:assert/strict';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { type CommandResult, type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import {
  fails,
  inBackground,
  isDenied,
  makeNamespace,
  revisionsOf,
  SHOP,
  succeeds,
  untouched,
  waitForHook,
} from './support/asking.ts';
import { type BelayCommandOptions, BUNDLE, runBelay, startBelayCommand } from './support/belay-command.ts';
import { startConnectProxy } from './support/connect-proxy.ts';
import { applyPolicy, deletePolicy } from './support/policies.ts';

/** The commands by which people see and set locks, as they run them: from the bundle, as users with no rights but what RBAC gives. */

let plane: ControlPlane;
type User = 'ci' | 'dev' | 'sre' | 'boss' | 'outsider';
let users: Record<User, string>;

before(async () => {
  plane = await startControlPlane({ quiet: true, belay: {} });
  const [ci, dev, sre, boss, outsider] = await Promise.all([
    plane.user('ci'),
    plane.user('dev'),
    plane.user('sre'),
    plane.user('boss', ['system:masters']),
    plane.user('outsider'),
  ]);
  users = { ci, dev, sre, boss, outsider };
});
after(() => plane?.stop());

const belay = (who: User, line: string, options: BelayCommandOptions = {}): Promise<CommandResult> =>
  // Words in quotes stay together.
  runBelay(
    (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', '')),
    { as: users[who], ...options },
  );

/** Asserts that it said this on stdout, and nothing on stderr. */
const prints = async (result: Promise<CommandResult>, expected: string): Promise<void> => {
  const { code, stdout, stderr } = await result;
  assert.deepEqual({ code, stdout: stdout.trim(), stderr: stderr.trim() }, { code: 0, stdout: expected, stderr: '' });
};

const exits = async (result: Promise<CommandResult>, code: number, ...said: readonly RegExp[]): Promise<void> => {
  const { code: was, stderr } = await result;
  assert.equal(was, code, stderr);
  for (const pattern of said) assert.match(stderr, pattern);
  assert.match(stderr, /^(Error|Warning): /);
};

for (const [kind, helm] of [
  ['secret', 'helm4'],
  ['configmap', 'helm3'],
] as const) {
  describe(`releases in ${kind}s`, () => {
    const namespace = `lock-${kind}`;
    const env = { HELM_DRIVER: kind };
    const run = (...args: readonly string[]) => plane[helm]([...args, '-n', namespace], { as: users.ci, env });
    const locks = async (release = 'web') =>
      (await revisionsOf(plane, namespace, release, kind)).map(({ annotations }) =>
        Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith('belay.dev/'))),
      );
    const unchanged = (attempt: () => Promise<CommandResult>) => untouched(plane, namespace, attempt);
    const here = (who: User, line: string) => belay(who, `${line} -n ${namespace}`);

    before(async () => {
      await makeNamespace(plane, namespace, { editors: ['ci', 'dev'], admins: ['sre'] });
      for (const release of ['web', 'api']) succeeds(await run('install', release, SHOP));
      succeeds(await run('upgrade', 'web', SHOP, '--set', 'greeting=two'));
    });

    test('freeze and unfreeze: all revisions, once, and by who may', async () => {
      await prints(here('ci', 'freeze web --reason "black friday"'), 'release/web frozen');
      const frozen = { 'belay.dev/freeze': 'black friday', 'belay.dev/freeze-by': 'ci' };
      assert.deepEqual(await locks(), [frozen, frozen]);
      await prints(here('ci', 'freeze web --reason "black friday"'), 'release/web unchanged');
      isDenied(await unchanged(() => run('upgrade', 'web', SHOP)), 'BelayFrozen', /black friday/);
      const refused = await unchanged(() => here('ci', 'unfreeze web'));
      isDenied(refused, 'BelayLockForbidden', /^Error: ci may not unlock release web/);
      assert.equal(refused.code, 77);
      await prints(here('sre', 'unfreeze web'), 'release/web unfrozen');
      assert.deepEqual(await locks(), [{}, {}]);
      await prints(here('sre', 'unfreeze web'), 'release/web unchanged');
    });

    test('a freeze ends when it was told to, and an older end goes with a newer freeze', async () => {
      await prints(here('ci', 'freeze web --reason x --for 2d'), 'release/web frozen');
      const [lock] = await locks();
      const hours = (Date.parse(lock?.['belay.dev/freeze-until'] ?? '') - Date.now()) / 3_600_000;
      assert.ok(hours > 47.9 && hours <= 48, `ends in ${hours} h`);
      await prints(here('ci', 'freeze web --reason x'), 'release/web frozen');
      assert.equal((await locks())[1]?.['belay.dev/freeze-until'], undefined);
      await prints(here('sre', 'unfreeze web'), 'release/web unfrozen');
    });

    test('several releases at once; what is not there is said, and the others are frozen', async () => {
      const { code, stdout, stderr } = await here('ci', 'freeze web nope api --reason x');
      assert.equal(stdout, 'release/web frozen\nrelease/api frozen\n');
      assert.equal(stderr, `Error: release "nope" not found in namespace "${namespace}"\n`);
      assert.equal(code, 1);
      await prints(here('sre', 'unfreeze api web'), 'release/api unfrozen\nrelease/web unfrozen');
    });

    test('pin to a range, or to what runs', async () => {
      await prints(here('ci', 'pin web 1.4.x'), 'release/web pinned');
      await prints(here('ci', 'pin web 1.4.x'), 'release/web unchanged');
      succeeds(await run('upgrade', 'web', SHOP, '--set', 'greeting=three'));
      // The superseded revision has handed its lock on.
      await prints(here('ci', 'pin web 1.4.x'), 'release/web unchanged');
      const refused = await here('ci', 'pin web --current');
      isDenied(refused, 'BelayLockForbidden');
      await prints(here('sre', 'pin web --current'), 'release/web pinned');
      assert.equal((await locks()).at(-1)?.['belay.dev/pin'], '1.4.0');
      await prints(here('sre', 'unpin web'), 'release/web unpinned');
      assert.ok((await locks()).every((annotations) => annotations['belay.dev/pin'] === undefined));
      await exits(here('sre', 'pin web latest'), 64, /"latest" is no range of versions/);
    });

    test('no-downgrade on and off', async () => {
      await prints(here('ci', 'no-downgrade web api on'), 'release/web no-downgrade on\nrelease/api no-downgrade on');
      await prints(here('ci', 'no-downgrade web on'), 'release/web unchanged');
      assert.equal((await locks('api'))[0]?.['belay.dev/no-downgrade'], 'true');
      await prints(
        here('sre', 'no-downgrade web api off'),
        'release/web no-downgrade off\nrelease/api no-downgrade off',
      );
      await exits(here('sre', 'no-downgrade web'), 64, /on or off/);
    });

    test('open and close', async () => {
      const image = () =>
        plane.kubectl(['set', 'image', 'deployment/api', 'web=nginx:1.28', '-n', namespace], { as: users.ci });
      await exits(here('ci', 'open api --for 30m --reason migration'), 77, /ci may not open release api/);
      isDenied(await image(), 'BelayDrift');
      await prints(here('sre', 'open api --for 30m --reason migration'), 'release/api opened');
      succeeds(await image());
      await prints(here('ci', 'close api'), 'release/api closed');
      isDenied(
        await plane.kubectl(['set', 'image', 'deployment/api', 'web=nginx:1.29', '-n', namespace]),
        'BelayDrift',
      );
      await exits(here('sre', 'open api --for 30d --reason x'), 77, /lies too far ahead/);
      await exits(here('sre', 'open api --reason x'), 64, /for how long/);
    });

    test('an upgrade in flight has a holder, is told by explain, and can be broken', async () => {
      const args = ['upgrade', 'web', SHOP, '-n', namespace, '--set', 'hooks.preUpgradeDelay=1s'];
      const upgrade = inBackground(plane, helm, args, { as: users.ci, env });
      await waitForHook(plane, namespace, 'web-migrate');
      await upgrade.kill();
      assert.match(succeeds(await here('ci', 'status web')), /web .* pending-upgrade .* upgrade by ci \(\d+s\) /);
      const text = succeeds(await here('ci', 'explain web'));
      assert.match(text, /upgrade to revision \d, held by ci\n {2}since 20/);
      assert.match(text, /belay break web --reason "why" -n lock-/);
      await exits(here('ci', 'check rollback web'), 77, /\[BelayOperationInFlight\]/);
      await exits(here('dev', 'break web --reason dead'), 77, /dev may not break release web/);
      // The holder needs no right for an operation of its own.
      await prints(here('ci', 'break web --reason dead'), 'release/web broken');
      await prints(here('sre', 'break web --reason dead'), 'release/web unchanged');
      assert.match(succeeds(await here('ci', 'status web')), /broken upgrade by ci/);
      await exits(here('ci', 'check upgrade web'), 1, /Helm itself would refuse: .* is pending-upgrade/);
      succeeds(await run('rollback', 'web'));
      await exits(here('sre', 'break web --reason dead'), 1, /no operation under way.*is deployed/);
    });

    test('check says what would happen, and stores nothing', async () => {
      const check = (who: User, line: string) => unchanged(() => here(who, `check ${line}`));
      const passes = async (line: string, to: string): Promise<void> => {
        const { stdout } = await check('ci', line);
        assert.match(stdout, new RegExp(`^release/\\w+ ${to}: would pass \\(server dry run\\)\n$`));
      };
      await passes('upgrade api', 'upgrade to revision 2, chart shop-1.4.0');
      await passes('upgrade api --version 2.0.0', 'upgrade to revision 2, chart shop-2.0.0');
      await passes('rollback web --revision 1', 'rollback to revision \\d, chart shop-1.4.0');
      await passes('uninstall api', 'uninstall of revision 1');
      await passes('install fresh --chart bitnami/nginx --version 1.0.0', 'install to revision 1, chart nginx-1.0.0');
      succeeds(await here('ci', 'pin api 1.4.x'));
      await exits(check('ci', 'upgrade api --version 2.0.0'), 77, /^Error: upgrade of .*\[BelayPinned\]/);
      await exits(check('ci', 'upgrade api --chart other'), 77, /\[BelayPinned\]/);
      succeeds(await here('sre', 'unpin api'));
      succeeds(await here('ci', 'freeze api --reason x'));
      for (const line of ['upgrade api', 'uninstall api']) await exits(check('ci', line), 77, /\[BelayFrozen\]/);
      succeeds(await here('sre', 'unfreeze api'));
      await exits(check('ci', 'install api --chart shop --version 1.4.0'), 1, /Helm itself would refuse/);
      await exits(check('ci', 'upgrade nope'), 1, /release "nope" not found/);
      await exits(check('outsider', 'upgrade api'), 77, /forbidden/);
    });
  });
}

describe('a whole namespace', () => {
  const namespace = 'wide';
  const here = (who: User, line: string) => belay(who, `${line} -n ${namespace}`);
  before(async () => {
    await makeNamespace(plane, namespace, { editors: ['ci'], admins: ['sre'] });
    succeeds(await plane.helm4(['install', 'web', SHOP, '-n', namespace], { as: users.ci }));
  });

  test('every lock but break can sit on it', async () => {
    for (const [set, done, lift, lifted] of [
      ['freeze --reason moving', 'frozen', 'unfreeze', 'unfrozen'],
      ['pin 1.x', 'pinned', 'unpin', 'unpinned'],
      ['no-downgrade on', 'no-downgrade on', 'no-downgrade off', 'no-downgrade off'],
    ]) {
      await prints(here('boss', `${set} --namespace-wide`), `namespace/wide ${done}`);
      await prints(here('boss', `${set} --namespace-wide`), 'namespace/wide unchanged');
      await prints(here('boss', `${lift} --namespace-wide`), `namespace/wide ${lifted}`);
      await prints(here('boss', `${lift} --namespace-wide`), 'namespace/wide unchanged');
    }
    await prints(here('boss', 'open --for 1h --reason x --namespace-wide'), 'namespace/wide opened');
    await prints(here('boss', 'close --namespace-wide'), 'namespace/wide closed');
    await exits(here('boss', 'break --reason x --namespace-wide'), 64);
  });

  test('is not for those who may not write Namespaces, and not meant by mistake', async () => {
    await exits(here('sre', 'freeze --reason x --namespace-wide'), 77, /namespaces "wide" is forbidden/);
    await exits(here('sre', 'freeze --reason x'), 64, /which release/);
    await exits(here('sre', 'freeze web --reason x --namespace-wide'), 64, /name none/);
    await exits(here('sre', 'freeze web --reason "  "'), 64, /--reason is empty/);
    await exits(here('sre', 'freeze web'), 64, /--reason/);
  });

  test('whoever lifts one lock is told of the other', async () => {
    succeeds(await here('boss', 'freeze --reason moving --namespace-wide'));
    succeeds(await here('ci', 'freeze web --reason x'));
    const { code, stdout, stderr } = await here('sre', 'unfreeze web');
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'release/web unfrozen\n' });
    assert.match(
      stderr,
      /^Warning: release web is still frozen, by namespace wide; .*unfreeze --namespace-wide -n wide/,
    );
    assert.match(succeeds(await here('ci', 'explain web')), /frozen by boss, on Namespace wide: "moving"/);
    assert.match(succeeds(await here('ci', 'status')), / frozen /);
    succeeds(await here('boss', 'unfreeze --namespace-wide'));
  });
});

describe('status', () => {
  const namespace = 'seen';
  const here = (who: User, line: string, options: BelayCommandOptions = {}) =>
    belay(who, `${line} -n ${namespace}`, options);
  before(async () => {
    await makeNamespace(plane, namespace, { editors: ['ci'], admins: ['sre'] });
    for (const release of ['web', 'api'])
      succeeds(await plane.helm4(['install', release, SHOP, '-n', namespace], { as: users.ci }));
    succeeds(await here('ci', 'freeze web --reason "black friday" --until 2099-01-01T00:00:00Z'));
    succeeds(await here('ci', 'pin web 1.4.x'));
  });

  test('is a table', async () => {
    const { stdout, stderr } = await here('ci', 'status');
    assert.deepEqual(
      stdout.replace(/\d+\w*s\n/g, '1s\n').split('\n'),
      [
        'NAME   CHART        REVISION   STATUS     LOCK            HOLDER   POLICY      AGE',
        'api    shop-1.4.0   1          deployed   <none>          <none>   <unknown>   1s',
        'web    shop-1.4.0   1          deployed   frozen,pinned   <none>   <unknown>   1s',
        '',
      ],
      stdout,
    );
    assert.equal(stderr, '');
    assert.match(
      succeeds(await here('ci', 'status web -o wide --no-headers')),
      /^web .* 2099-01-01T00:00:00Z {3}"1\.4\.x" {3}black friday\n$/,
    );
  });

  test('is read by programs', async () => {
    const one = JSON.parse(succeeds(await here('ci', 'status web -o json')));
    assert.deepEqual(parse(succeeds(await here('ci', 'status web -o yaml'))), one);
    assert.deepEqual(one.metadata, { name: 'web', namespace });
    assert.deepEqual(one.chart, { name: 'shop', version: '1.4.0' });
    const source = { kind: 'Secret', namespace, name: 'sh.helm.release.v1.web.v1' };
    assert.deepEqual(one.locks, [
      { type: 'frozen', reason: 'black friday', by: 'ci', until: '2099-01-01T00:00:00Z', sources: [source] },
      { type: 'pinned', range: '1.4.x', sources: [source] },
    ]);
    const list = JSON.parse(succeeds(await here('ci', 'status -o json')));
    assert.equal(list.kind, 'List');
    assert.deepEqual(
      list.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
      ['api', 'web'],
    );
    await prints(here('ci', 'status -o name'), 'release/api\nrelease/web');
    assert.deepEqual(
      JSON.parse(succeeds(await belay('ci', 'status -o json -n lock-none', { as: users.boss }))).items,
      [],
    );
  });

  test('is coloured for a terminal alone', async () => {
    const colour = '\u001b[';
    assert.ok(!succeeds(await here('ci', 'status')).includes(colour));
    assert.ok(succeeds(await here('ci', 'status', { env: { FORCE_COLOR: '1' } })).includes(colour));
    assert.ok(!succeeds(await here('ci', 'status', { env: { NO_COLOR: '1' } })).includes(colour));
  });

  test('of all namespaces names them, for who may see them', async () => {
    const table = succeeds(await belay('boss', 'status -A'));
    assert.match(table, /^NAMESPACE +NAME /);
    assert.match(table, /^seen +web +shop-1\.4\.0 +1 +deployed +frozen,pinned +<none> +<none> /m);
    assert.match(table, /^lock-configmap +web /m);
    await exits(belay('ci', 'status -A'), 77, /cannot list resource/);
    await exits(belay('outsider', 'status -n seen'), 77, /cannot list resource/);
  });

  test('of what is not there says so', async () => {
    await exits(here('ci', 'status nope'), 1, /^Error: release "nope" not found in namespace "seen"\n$/);
    await exits(here('ci', 'status "a b,c"'), 1, /not found/);
    const { code, stdout, stderr } = await belay('boss', 'status -n default');
    assert.deepEqual(
      { code, stdout, stderr },
      { code: 0, stdout: '', stderr: 'No releases found in default namespace.\n' },
    );
  });

  test('goes on with --watch, and shows what changes', async () => {
    const watching = startBelayCommand(['status', '-n', namespace, '--watch'], { as: users.ci });
    try {
      await watching.says(/^web /m);
      succeeds(await here('ci', 'freeze api --reason x'));
      await watching.says(/^api .* frozen /m);
      succeeds(await here('sre', 'unfreeze api'));
      succeeds(await plane.helm4(['upgrade', 'api', SHOP, '-n', namespace, '--set', 'greeting=x'], { as: users.ci }));
      await watching.says(/^api +shop-1\.4\.0 +2 +deployed /m);
      assert.equal(watching.stdout.match(/^NAME/gm)?.length, 1);
      assert.equal(watching.stdout.match(/^web/gm)?.length, 1);
    } finally {
      assert.equal(await watching.kill('SIGINT'), 130);
    }
  });

  test('is the same for a user who is impersonated, with all groups', async () => {
    succeeds(
      await plane.kubectl(['create', 'rolebinding', 'devs', '-n', namespace, '--clusterrole=edit', '--group=devs']),
    );
    await exits(here('boss', 'status --as anna --as-group ops'), 77, /User "anna"/);
    succeeds(await here('boss', 'status --as anna --as-group devs --as-group ops'));
    succeeds(await here('boss', 'status --kube-as-user anna --kube-as-group ops --kube-as-group devs'));
  });
});

describe('policies', () => {
  const namespace = 'ruled';
  const here = (who: User, line: string) => belay(who, `${line} -n ${namespace}`);
  before(async () => {
    await makeNamespace(plane, namespace, { editors: ['ci'], admins: ['sre'] });
    for (const release of ['web', 'shared-db'])
      succeeds(await plane.helm4(['install', release, SHOP, '-n', namespace], { as: users.ci }));
    const match = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
    await applyPolicy(plane, 'ruled', { priority: 5, match, versions: { action: 'Warn', range: '<2' } });
    await applyPolicy(plane, 'shared', {
      priority: 10,
      match: { ...match, releases: ['shared-*'] },
      freeze: { reason: 'ask #db' },
    });
    await applyPolicy(plane, 'also', { priority: 5, match });
  });
  after(async () => {
    for (const name of ['ruled', 'shared', 'also']) await deletePolicy(plane, name);
  });

  test('are listed with the releases that each is in force for', async () => {
    const table = succeeds(await belay('boss', 'policy'));
    assert.match(table, /^NAME +PRIORITY +READY +RELEASES /);
    assert.match(table, /^shared +10 +True +1 .* Deny: frozen /m);
    assert.match(table, /^also +5 +True +1 /m);
    assert.match(table, /^ruled +5 +True +0 +Deny +Warn /m);
    assert.match(table, /^<built-in> +0 +True +\d+ /m);
    assert.match(succeeds(await belay('boss', 'policy shared')), /In force on:\n {2}ruled\/shared-db\n$/);
    await prints(
      belay('boss', 'policy -o name'),
      'releasepolicy.belay.dev/shared\nreleasepolicy.belay.dev/also\nreleasepolicy.belay.dev/ruled',
    );
    const report = JSON.parse(succeeds(await belay('boss', 'policy shared -o json')));
    assert.deepEqual(report.releases, [{ namespace, name: 'shared-db' }]);
    await exits(belay('boss', 'policy nope'), 1, /releasepolicy "nope" not found/);
    await exits(here('ci', 'policy'), 77, /releasepolicies.belay.dev is forbidden/);
  });

  test('are told by status and explain, with why', async () => {
    assert.match(succeeds(await here('boss', 'status')), /^shared-db .* frozen +<none> +shared /m);
    const text = succeeds(await here('boss', 'explain shared-db'));
    assert.match(text, /^ {2}shared, priority 10: the highest priority of those that match$/m);
    assert.match(text, /^ {2}not in force: also, priority 5$/m);
    assert.match(text, /^ {2}frozen, on ReleasePolicy shared: "ask #db"$/m);
    assert.match(text, /kubectl edit releasepolicy shared/);
    assert.match(succeeds(await here('boss', 'explain web')), /also, priority 5: the first by name of those with the/);
    assert.match(succeeds(await here('ci', 'explain web')), /<unknown>: you may not read releasepolicies/);
  });

  test('that warn do so through check', async () => {
    await deletePolicy(plane, 'also');
    const asked = await (async () => {
      for (;;) {
        const result = await here('ci', 'check upgrade web --version 3.0.0');
        if (result.stderr !== '') return result;
      }
    })();
    assert.equal(asked.code, 0);
    assert.match(asked.stderr, /^Warning: .*BelayPinned/);
    assert.match(asked.stdout, /would pass/);
    await applyPolicy(plane, 'also', { priority: 5, match: { releases: ['none'] } });
  });
});

describe('what goes wrong is said in a line, with its own exit code', () => {
  const cases: readonly [string, Readonly<Record<string, string>>, number, RegExp][] = [
    ['status', {}, 69, /^Error: no cluster to talk to: [^\n]*\n$/],
    ['status --server https://127.0.0.1:6 --token x', {}, 69, /^Error: cannot reach the cluster: [^\n]*\n$/],
    ['status --kubeconfig /nonexistent/config', {}, 69, /^Error: kubeconfig \/nonexistent\/config cannot be read/],
    ['status --no-such-flag', {}, 64, /^Error: unknown option '--no-such-flag'/],
    ['no-such-command', {}, 64, /^Error: unknown command 'no-such-command'/],
    ['status -o nonsense', {}, 64, /Allowed choices are wide, json, yaml, name/],
    ['check nonsense web', {}, 64, /Allowed choices are upgrade, install, rollback, uninstall/],
  ];
  for (const [line, env, code, said] of cases)
    test(`belay ${line}`, async () => {
      const result = await runBelay(line.split(' '), { env });
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, said);
      assert.equal(result.stdout, '');
    });

  test('a token that nobody knows', async () => {
    const line = `status --server ${plane.server} --token nonsense --insecure-skip-tls-verify`;
    await exits(runBelay(line.split(' ')), 77, /the cluster does not know these credentials/);
  });
});

describe('where Belay does not guard', () => {
  test('a lock holds nobody, and that is said', async () => {
    // Its own namespace is out of its reach.
    const inOwn = ['-n', 'belay-system'];
    succeeds(await plane.helm4(['install', 'own', SHOP, ...inOwn]));
    const { code, stdout, stderr } = await belay('boss', 'freeze own --reason x -n belay-system');
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'release/own frozen\n' });
    assert.match(stderr, /^Warning: Belay does not guard namespace belay-system: this annotation holds nobody\n$/);
    fails(await belay('boss', 'check upgrade nope -n belay-system'), /not found/);
    assert.match((await belay('boss', 'check upgrade own -n belay-system')).stderr, /Belay does not guard/);
    succeeds(await plane.helm4(['uninstall', 'own', ...inOwn]));
  });
});

describe('the same bundle under its other names', () => {
  test('kubectl belay', async () => {
    const script = join(plane.dir, 'kubectl-belay');
    await symlink(BUNDLE, script);
    const help = succeeds(await belay('ci', 'freeze --help', { script }));
    assert.match(help, /^Usage: kubectl belay freeze /);
    const path = `${plane.dir}:${join(process.execPath, '..')}:${process.env.PATH}`;
    const run = await plane.kubectl(['belay', 'status', '-n', 'seen'], { as: users.ci, env: { PATH: path } });
    assert.match(succeeds(run), /^web +shop-1\.4\.0 /m);
  });

  test('helm lock', async () => {
    const env = { HELM_PLUGIN_NAME: 'lock', HELM_BIN: 'helm', HELM_NAMESPACE: 'seen' };
    assert.match(succeeds(await belay('ci', 'status', { env })), /^web +shop-1\.4\.0 /m);
    assert.match(succeeds(await belay('ci', '--help', { env })), /^Usage: helm lock \[options\] \[command\]/);
    assert.match(succeeds(await belay('ci', 'freeze --help', { env })), /^Usage: helm lock freeze /);
  });
});

test('goes through the proxy that the kubeconfig names, as kubectl does', async () => {
  const proxy = await startConnectProxy();
  try {
    const kubeconfig = parse(await readFile(users.ci, 'utf8')) as { clusters: { cluster: { 'proxy-url'?: string } }[] };
    for (const { cluster } of kubeconfig.clusters) cluster['proxy-url'] = proxy.url;
    const file = join(plane.dir, 'behind-proxy.yaml');
    await writeFile(file, stringify(kubeconfig), { mode: 0o600 });
    assert.match(succeeds(await runBelay(['status', '-n', 'seen'], { as: file })), /^web +shop-1\.4\.0 /m);
    assert.equal(proxy.asked[0], new URL(plane.server).host);
  } finally {
    proxy.stop();
  }
  const gone = await runBelay(['status', '--kubeconfig', join(plane.dir, 'behind-proxy.yaml')]);
  assert.equal(gone.code, 69);
  assert.match(gone.stderr, /^Error: cannot reach the cluster: /);
});
