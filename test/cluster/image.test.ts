/**
 * The image without Docker: every line of the Dockerfile is carried out in a directory, with no file but those that .dockerignore lets
 * through, and what the last stage would hold is run as a container runtime would run it.
 */
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { applyManifests, belayNamespace, buildBelay, waitForReviews } from './harness/install-belay.ts';
import { probe } from './harness/probe.ts';
import { createProcesses, type Processes, type RunningProgram } from './harness/processes.ts';
import { waitUntil } from './harness/wait-until.ts';
import { isDenied, makeNamespace, SHOP, succeeds } from './support/asking.ts';
import { carryOut } from './support/carry-out.ts';
import { contained, whyNotContained } from './support/contained.ts';
import { readDockerfile, type Stage } from './support/dockerfile.ts';

const PROJECT = join(import.meta.dirname, '../..');
const withoutLinux = process.platform !== 'linux' && 'its libraries are those of Linux';
const uncontained = await whyNotContained();

let plane: ControlPlane;
let image: Stage;
/** What the last stage would hold. */
let root: string;

const filesIn = async (dir: string): Promise<readonly string[]> =>
  (await readdir(dir, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length))
    .sort();

describe('what the Dockerfile makes', { skip: withoutLinux }, () => {
  before(async () => {
    plane = await startControlPlane({ quiet: true, helm: ['helm4'] });
    const stages = await readDockerfile(join(PROJECT, 'Dockerfile'));
    image = stages.at(-1) ?? assert.fail('the Dockerfile has no stage');
    root = await carryOut(stages, PROJECT, join(plane.dir, 'image'));
  });
  after(() => plane?.stop());

  test('holds Node, its libraries and Belay, and no other program', async () => {
    const files = await filesIn(root);
    const modes = await Promise.all(files.map(async (file) => (await stat(join(root, file))).mode & 0o7777));
    const programs = files.filter((_file, index) => modes[index] !== 0o644);
    assert.deepEqual(
      programs.filter((file) => !/\/ld-linux[\w-]*\.so\.\d+$/.test(file)),
      ['/belay/belay.js', '/bin/node'],
    );
    const others = files.filter((file) => !/^\/(belay|lib\w*|usr\/lib\w*|usr\/share\/doc|var\/lib\/dpkg)\//.test(file));
    assert.deepEqual(others, ['/bin/node', '/etc/group', '/etc/nsswitch.conf', '/etc/os-release', '/etc/passwd']);
  });

  test('holds the bundle that `make build` makes, byte by byte, and the licences of what is in it', async () => {
    await buildBelay();
    // Beside it are directories: packages, the SBOM.
    const built = (await filesIn(join(PROJECT, 'dist'))).filter((file) => /^\/[^./][^/]*$/.test(file));
    assert.deepEqual(
      (await filesIn(join(root, 'belay'))).filter((file) => file !== '/LICENSE'),
      built,
    );
    assert.ok(built.includes('/THIRD-PARTY-LICENCES.txt'));
    for (const file of built) {
      const [inImage, here] = await Promise.all(
        [join(root, 'belay'), join(PROJECT, 'dist')].map((dir) => readFile(join(dir, file))),
      );
      assert.ok(inImage && here?.equals(inImage), file);
    }
  });

  describe('run read-only, as its user, with its variables and flags', { skip: uncontained ?? false }, () => {
    let processes: Processes;
    let belay: RunningProgram;
    let url: string;

    before(async () => {
      await applyManifests(plane.kubectl, plane.address);
      const { clusters } = parse(await readFile(plane.adminKubeconfig, 'utf8')) as {
        clusters: [{ cluster: { 'certificate-authority-data': string } }];
      };
      const token = succeeds(await plane.kubectl(['create', 'token', 'belay', '-n', belayNamespace, '--duration=1h']));
      const { hostname, port } = new URL(plane.server);
      processes = createProcesses({ logDir: join(plane.dir, 'logs') });
      belay = processes.start(
        await contained({
          name: 'image',
          root,
          user: image.user ?? assert.fail('the Dockerfile names no user'),
          env: { ...image.env, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
          // As in a pod, but for the address: nothing here listens beyond this machine.
          command: [...image.entrypoint, ...image.command, `--address=${plane.address}`],
          serviceAccount: {
            token: token.trim(),
            'ca.crt': Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64').toString(),
            namespace: belayNamespace,
          },
          accountDir: join(plane.dir, 'service-account'),
        }),
      );
      url = `https://${plane.address}:${image.ports[0]}`;
      await waitUntil('the image is ready', () => probe(`${url}/readyz`), { dependsOn: [belay] });
      await waitForReviews(plane.api);
    });
    after(() => processes?.stopAll());

    test('it serves as nobody in particular, without a capability, from a root that it cannot write', async () => {
      assert.equal(await probe(`${url}/livez`), 'ok\n');
      const status = await readFile(`/proc/${belay.pid}/status`, 'utf8');
      const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(status)?.[1]?.split(/\s+/);
      const [uid, gid] = (image.user ?? '').split(':');
      assert.deepEqual([field('Uid'), field('Gid')], [Array(4).fill(uid), Array(4).fill(gid)]);
      assert.deepEqual([field('Groups'), field('NoNewPrivs')], [[''], ['1']]);
      assert.deepEqual([field('CapPrm'), field('CapEff')], [['0000000000000000'], ['0000000000000000']]);
      const mounts = (await readFile(`/proc/${belay.pid}/mountinfo`, 'utf8'))
        .split('\n')
        .map((line) => line.split(' '));
      // Seen from inside, its root is `/`; proc and dev are the runtime's.
      const ownRoot = mounts.filter(([, , , , mountPoint]) => mountPoint === '/').at(-1);
      assert.match(ownRoot?.[5] ?? '', /^ro\b/);
    });

    test('a release is installed, and a change past Helm is refused', async () => {
      await makeNamespace(plane, 'shop', { editors: ['dev'] });
      const dev = await plane.user('dev');
      succeeds(await plane.helm4(['install', 'web', SHOP, '-n', 'shop', '--no-hooks'], { as: dev }));
      const image = await plane.kubectl(['set', 'image', 'deployment/web', 'web=nginx:1.28', '-n', 'shop'], {
        as: dev,
      });
      isDenied(image, 'BelayDrift', /Deployment web/);
    });

    test('a record that is decoded by a worker thread is judged as well', async () => {
      const frozen = ['annotate', 'secret', '-n', 'shop', '-l', 'owner=helm,name=web', 'belay.dev/freeze=sale'];
      const dev = await plane.user('dev');
      succeeds(await plane.kubectl(frozen, { as: dev }));
      const big = ['--set-string', `padding=${'x'.repeat(100_000)}`];
      const upgrade = ['upgrade', 'web', SHOP, '-n', 'shop', '--no-hooks', ...big];
      isDenied(await plane.helm4(upgrade, { as: dev }), 'BelayFrozen', /sale/);
    });

    test('its log has nothing to complain of, and SIGTERM ends it in good order', async () => {
      belay.kill('SIGTERM');
      assert.equal(await belay.ended, 'exited with code 0');
      const lines = (await readFile(belay.log, 'utf8')).trim().split('\n');
      const isCalm = (line: string) =>
        line.startsWith('{') && (JSON.parse(line) as { level: unknown }).level === 'info';
      assert.deepEqual(
        lines.filter((line) => !isCalm(line)),
        [],
      );
    });
  });
});
