import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { type CommandLine, createCommandLine } from './harness/command-line.ts';
import {
  type CommandOptions,
  type CommandResult,
  type ControlPlane,
  startControlPlane,
} from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import { fails, type Helm, historyOf, makeNamespace, SHOP, succeeds } from './support/asking.ts';

/** What `make dist` makes, installed as users install it: into real Helms, for real kubectl, by real npm. */

const PROJECT = join(import.meta.dirname, '../..');
/** Where `./shop` is. */
const CHARTS = dirname(SHOP);

let plane: ControlPlane;
let shell: CommandLine;
/** What was packaged. */
let dist: string;
let version: string;
let ci: string;

/** The Node that runs this, in front: the machine's own may be too old. */
const pathWith = (...directories: readonly string[]): string =>
  [...directories, dirname(process.execPath), process.env.PATH].join(':');

const packageInto = async (directory: string): Promise<void> => {
  const env = { ...process.env, DIST_DIR: directory };
  await promisify(execFile)(process.execPath, [join(PROJECT, 'packaging/package.ts')], { env });
};

before(async () => {
  plane = await startControlPlane({ quiet: true, belay: {} });
  dist = join(plane.dir, 'packages');
  await packageInto(dist);
  ({ version } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8')) as { version: string });
  shell = createCommandLine({
    homeDir: join(plane.dir, 'home'),
    adminKubeconfig: plane.adminKubeconfig,
    adopt: () => undefined, // each command is waited for
  });
  ci = await plane.user('ci');
  // `kubectl` and `helm` by their names, as plugins call them.
  await mkdir(join(plane.dir, 'bin'));
  await symlink(plane.bin.kubectl ?? '', join(plane.dir, 'bin/kubectl'));
  await symlink(plane.bin.helm4 ?? '', join(plane.dir, 'bin/helm'));
});
after(() => plane?.stop());

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('what make dist makes', () => {
  test('is the same, byte by byte, when it is made again', async () => {
    await packageInto(`${dist}-again`);
    const names = [
      'SHA256SUMS',
      'npm/package.json',
      'npm/belay.mjs',
      `npm-belay-${version}.tgz`,
      `lock-${version}.tgz`,
    ];
    for (const name of [
      ...names,
      `helm-lock-${version}.tgz`,
      `kubectl-belay-${version}.tar.gz`,
      'belay.yaml',
      `belay-${version}.tgz`,
      'install.yaml',
    ])
      assert.ok((await readFile(join(dist, name))).equals(await readFile(join(`${dist}-again`, name))), name);
  });

  test('has the checksums that it says', async () => {
    const lines = (await readFile(join(dist, 'SHA256SUMS'), 'utf8')).trimEnd().split('\n');
    assert.equal(lines.length, 7);
    for (const line of lines) {
      const [sum, name = ''] = line.split('  ');
      assert.equal(sum, sha256(await readFile(join(dist, name))), name);
    }
  });

  test('tells krew of the archive', async () => {
    const { spec } = parse(await readFile(join(dist, 'belay.yaml'), 'utf8')) as {
      spec: { version: string; platforms: readonly { uri: string; sha256: string; bin: string }[] };
    };
    assert.equal(spec.version, `v${version}`);
    assert.equal(spec.platforms.length, 1);
    for (const { uri, sha256: sum, bin } of spec.platforms) {
      assert.equal(sum, sha256(await readFile(join(dist, basename(uri)))));
      await readFile(join(dist, 'kubectl', bin));
    }
  });
});

describe('a Node that will not do', () => {
  const launchers = ['helm-legacy/lock/lock.sh', 'helm-v1/lock/lock.sh', 'kubectl/kubectl-belay'];

  test('that is not there: one line, and not exit code 0', async () => {
    for (const launcher of launchers) {
      const { code, stdout, stderr } = await shell.run(join(dist, launcher), ['status'], {
        env: { PATH: join(plane.dir, 'nothing') },
      });
      assert.deepEqual({ code, stdout }, { code: 127, stdout: '' }, launcher);
      assert.match(stderr, /^Error: belay needs Node \d+\.\d+ or newer, and there is no node on the PATH\n$/);
    }
  });

  test('that is too old: one line, and not exit code 0', async () => {
    const old = join(plane.dir, 'old.cjs');
    await writeFile(old, "Object.defineProperty(process.versions, 'node', { value: '22.18.9' });\n");
    const programs = [
      'helm-legacy/lock/lock.cjs',
      'helm-v1/lock/lock.cjs',
      'kubectl/kubectl-belay.cjs',
      'npm/bin/belay.cjs',
    ];
    for (const program of programs) {
      const { code, stdout, stderr } = await shell.run(process.execPath, [
        '--require',
        old,
        join(dist, program),
        'status',
      ]);
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' }, program);
      assert.match(stderr, /^Error: belay needs Node \d+\.\d+ or newer, and this is 22\.18\.9 \(.+\)\n$/);
    }
  });
});

/** A Helm with a home of its own, so that plugins of one are not those of another. */
const helmIn =
  (helm: Helm, home: string) =>
  (args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
    plane[helm](args, {
      as: ci,
      cwd: CHARTS,
      ...options,
      env: { PATH: pathWith(), HELM_DATA_HOME: join(plane.dir, home), HELM_CACHE_HOME: join(plane.dir, home, 'cache') },
    });

type RunHelm = ReturnType<typeof helmIn>;

/** Serves the archives, as a release page does. */
const serveDist = async (): Promise<{ url: string; stop: () => Promise<void> }> => {
  const server = createServer((request, response) => {
    readFile(join(dist, basename(request.url ?? ''))).then(
      (bytes) =>
        response.writeHead(200, { 'content-type': 'application/gzip' }).end(request.method === 'HEAD' ? '' : bytes),
      () => response.writeHead(404).end(),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await promisify(server.close.bind(server))();
    },
  };
};

describe('the archives are plugins', () => {
  const isListed = async (helm: RunHelm): Promise<void> => {
    assert.match(
      succeeds(await helm(['plugin', 'list'])),
      new RegExp(`^lock\\s+${version.replaceAll('.', '\\.')}\\s`, 'm'),
    );
    assert.match(succeeds(await helm(['lock', '--help'])), /helm lock/);
    assert.match(succeeds(await helm(['--help'])), /^ {2}lock +Waits for its turn/m);
  };

  test('downloaded, in the format that both know', async () => {
    const server = await serveDist();
    const url = `${server.url}/helm-lock-${version}.tgz`;
    try {
      const [helm3, helm4] = [helmIn('helm3', 'url-3'), helmIn('helm4', 'url-4')];
      succeeds(await helm3(['plugin', 'install', url]));
      succeeds(await helm4(['plugin', 'install', url, '--verify=false']));
      await isListed(helm3);
      await isListed(helm4);
    } finally {
      await server.stop();
    }
  });

  test("Helm 4's own format, from a file", async () => {
    const helm = helmIn('helm4', 'file-4');
    const archive = join(dist, `lock-${version}.tgz`);
    fails(await helm(['plugin', 'install', archive]), /no provenance file/);
    succeeds(await helm(['plugin', 'install', archive, '--verify=false']));
    await isListed(helm);
  });
});

const INSTALLS: readonly (readonly [helm: Helm, format: 'legacy' | 'v1'])[] = [
  ['helm3', 'legacy'],
  ['helm4', 'legacy'],
  ['helm4', 'v1'],
];

for (const [helm, format] of INSTALLS) {
  describe(`${helm}, plugin of the format ${format}`, () => {
    const namespace = `${helm}-${format}`;
    let run: RunHelm;
    before(async () => {
      await makeNamespace(plane, namespace, { editors: ['ci'] });
      run = helmIn(helm, namespace);
      succeeds(await run(['plugin', 'install', join(dist, `helm-${format}/lock`)]));
    });

    test('helm lock upgrade --install runs Helm', async () => {
      succeeds(await run(['lock', 'upgrade', '--install', 'web', './shop', '-n', namespace]));
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 deployed');
      succeeds(await run(['lock', 'upgrade', 'web', './shop', '--namespace', namespace, '--set', 'image=nginx:1.28']));
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 deployed');
    });

    test('helm lock status, freeze and unfreeze', async () => {
      assert.match(succeeds(await run(['lock', 'status', '-n', namespace])), /^web\s/m);
      assert.match(
        succeeds(await run(['lock', 'freeze', 'web', '--reason', 'x', '-n', namespace])),
        /^release\/web frozen/,
      );
      assert.match(succeeds(await run(['lock', 'status', '-n', namespace])), /^web\s.*frozen/m);
      const refused = await run(['lock', 'upgrade', 'web', './shop', '-n', namespace, '--lock-timeout', '5s']);
      assert.equal(refused.code, 1, 'the exit code of Helm');
      assert.match(refused.stderr, /\[BelayFrozen\]/);
      const skipped = await run(['lock', 'upgrade', 'web', './shop', '-n', namespace, '--skip-locked']);
      assert.equal(skipped.code, 0, skipped.stderr);
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 deployed');
    });

    test('the exit code is that of the plugin', async () => {
      const missing = await run(['lock', 'freeze', 'web', '-n', namespace]);
      assert.equal(missing.code, 64, missing.stderr);
      assert.match(missing.stderr, /--reason/);
    });

    test('Helm completes commands, flags and releases', async () => {
      const asked = async (...words: readonly string[]): Promise<string> =>
        succeeds(await run(['__complete', 'lock', ...words]));
      assert.match(await asked('unf'), /^unfreeze\tlift a freeze\n:4\n$/);
      assert.match(await asked('u'), /^upgrade\t/m);
      assert.match(await asked('status', '--no-h'), /^--no-headers\t/m);
      assert.match(await asked('-n', namespace, 'status', ''), /^web\tdeployed, revision 2\n:4\n$/);
      assert.match(await asked('upgrade', '-n', namespace, 'w'), /^web\t/m);
      assert.match(await asked('upgrade', '-n', namespace, 'web', '--lock-'), /^--lock-timeout\t/m);
      assert.match(await asked('upgrade', '-n', namespace, 'web', '--reuse'), /^--reuse-values\t/m);
    });
  });
}

describe('the plugin of kubectl', () => {
  const namespace = 'kubectl';
  const kubectl = (args: readonly string[], path: string): Promise<CommandResult> =>
    plane.kubectl(args, { as: ci, env: { PATH: path } });
  let path: string;

  before(async () => {
    await makeNamespace(plane, namespace, { editors: ['ci'] });
    succeeds(await plane.helm3(['install', 'web', SHOP, '-n', namespace], { as: ci }));
    // A link, as krew makes it.
    const links = join(plane.dir, 'krew');
    await mkdir(links);
    for (const name of ['kubectl-belay', 'kubectl_complete-belay'])
      await symlink(join(dist, 'kubectl', name), join(links, name));
    path = pathWith(links);
  });

  test('kubectl belay freeze and status', async () => {
    assert.match(
      succeeds(await kubectl(['belay', 'freeze', 'web', '-r', 'x', '-n', namespace], path)),
      /^release\/web frozen/,
    );
    assert.match(succeeds(await kubectl(['belay', 'status', '-n', namespace], path)), /^web\s.*frozen/m);
    assert.match(succeeds(await kubectl(['belay', '--help'], path)), /^Usage: kubectl belay /);
  });

  test('kubectl completes it', async () => {
    const asked = async (...words: readonly string[]): Promise<string> =>
      succeeds(await kubectl(['__complete', 'belay', ...words], path));
    assert.match(await asked('unf'), /^unfreeze\tlift a freeze\n:4\n$/);
    assert.match(await asked('status', '-n', namespace, ''), /^web\tdeployed, revision 1\n:4\n$/);
    assert.match(await asked('status', '-n', 'kube-sys'), /^:4\n$/, 'ci may not list namespaces');
    assert.match(await asked('status', '--output='), /^wide\njson\nyaml\nname\n:4\n$/);
  });
});

describe('the package for npm', () => {
  const namespace = 'npm';
  let bin: string;
  const asCi = (program: string, args: readonly string[]): Promise<CommandResult> =>
    shell.run(program, args, { as: ci, cwd: CHARTS, env: { PATH: pathWith(bin, join(plane.dir, 'bin')) } });

  before(async () => {
    const prefix = join(plane.dir, 'npm-prefix');
    bin = join(prefix, 'bin');
    const options = ['--global', '--offline', '--no-audit', '--no-fund', '--no-update-notifier', '--prefix', prefix];
    succeeds(await shell.run('npm', ['install', ...options, join(dist, `npm-belay-${version}.tgz`)]));
    await makeNamespace(plane, namespace, { editors: ['ci'] });
    succeeds(await plane.helm4(['install', 'web', SHOP, '-n', namespace], { as: ci }));
  });

  test('belay, and kubectl belay with its completion', async () => {
    assert.equal(succeeds(await asCi('belay', ['--version'])), `${version}\n`);
    assert.match(succeeds(await asCi('belay', ['status', '-n', namespace, '-o', 'name'])), /^release\/web\n$/);
    assert.match(
      succeeds(await asCi('kubectl', ['belay', 'status', '-n', namespace, '-o', 'name'])),
      /^release\/web\n$/,
    );
    assert.match(succeeds(await asCi('kubectl', ['__complete', 'belay', 'unf'])), /^unfreeze\t/);
  });

  test('belay lock finds the helm on the PATH', async () => {
    succeeds(await asCi('belay', ['lock', 'upgrade', 'web', './shop', '-n', namespace]));
    assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 deployed');
  });

  test('belay serve says that the webhook is elsewhere', async () => {
    const { code, stderr } = await asCi('belay', ['serve', '--port', '9443']);
    assert.equal(code, 64);
    assert.match(stderr, /^Error: .*without the webhook.*\n$/);
  });

  describe('completion in bash', () => {
    const inBash = (script: string): Promise<CommandResult> =>
      asCi('bash', ['--norc', '-c', `set -eu; source <(belay completion bash)\n${script}`]);

    /** The words as bash divides them, the last one being typed; gives back what bash would offer. */
    const offered = async (...words: readonly string[]): Promise<readonly string[]> => {
      const quoted = words.map((word) => `'${word}'`).join(' ');
      const script = `COMP_WORDS=(belay ${quoted}); COMP_CWORD=${words.length}; COMP_TYPE=9\n_belay 2> /dev/null || true\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
      return succeeds(await inBash(script))
        .trimEnd()
        .split('\n');
    };

    test('commands, flags, their values, namespaces and releases', async () => {
      assert.deepEqual(await offered('unf'), ['unfreeze']);
      assert.deepEqual(await offered('un'), ['unfreeze  (lift a freeze)', 'unpin     (lift a pin)']);
      assert.deepEqual(await offered('status', '--no-h'), ['--no-headers']);
      assert.deepEqual(await offered('status', '-o', ''), ['wide', 'json', 'yaml', 'name']);
      assert.deepEqual(await offered('status', '--output', '=', 'j'), ['json']);
      assert.deepEqual(await offered('status', '--output', '='), ['wide', 'json', 'yaml', 'name']);
      assert.deepEqual(await offered('status', '--namespace', '=', namespace, ''), ['web']);
      assert.deepEqual(await offered('-n', namespace, 'freeze', 'w'), ['web']);
      assert.deepEqual(await offered('freeze', 'web', '-r', '$(exit 1) `exit 1`', '-n', namespace, 'w'), ['']);
      assert.deepEqual(await offered('lock', 'rollback', '-n', namespace, 'w'), ['web']);
    });

    test('namespaces, for those who may list them', async () => {
      const run = await shell.run('belay', ['__complete', 'status', '-n', 'np'], { env: { PATH: pathWith(bin) } });
      assert.equal(succeeds(run), 'npm\n:4\n');
    });

    test('by the TAB key', async (t) => {
      const found = await promisify(execFile)('script', ['--version']).catch(() => undefined);
      if (!found?.stdout.includes('util-linux'))
        return t.skip('there is no script(1) of util-linux to make a terminal');
      const env = { PATH: pathWith(bin), TERM: 'dumb' };
      const terminal = shell.spawn('script', ['-qec', 'bash --norc --noprofile -i', '/dev/null'], { as: ci, env });
      let seen = '';
      terminal.stdout?.setEncoding('utf8').on('data', (text: string) => (seen += text));
      const type = async (keys: string, until: string): Promise<void> => {
        seen = '';
        terminal.stdin?.write(keys);
        await waitUntil(`${until} in the terminal`, async () => seen.includes(until) || undefined);
      };
      await type('PS1="ready> "; source <(belay completion bash)\n', 'ready> ');
      await type('belay statu\t', 'status ');
      await type(`-n ${namespace} --outp\t`, '--output ');
      await type('na\t', 'name ');
      await type('\n', 'release/web');
      const ended = once(terminal, 'close');
      terminal.stdin?.end('exit\n');
      await ended;
    });
  });

  for (const [interpreter, check] of [
    ['zsh', 'zsh --no-exec'],
    ['fish', 'fish --no-execute'],
  ] as const) {
    test(`the script for ${interpreter} is one`, async (t) => {
      const script = succeeds(await asCi('belay', ['completion', interpreter]));
      assert.match(script, /belay __complete/);
      const isThere = await promisify(execFile)(interpreter, ['--version']).catch(() => undefined);
      if (isThere === undefined) return t.skip(`there is no ${interpreter} here to read it`);
      succeeds(await shell.run('sh', ['-c', `${check} /dev/stdin`], { input: script }));
    });
  }
});
