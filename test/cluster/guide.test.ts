import assert from 'node:assert/strict';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOutCharts } from '../demo/story.ts';
import { type CommandLine, createCommandLine } from './harness/command-line.ts';
import { type CommandResult, type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitForReviews } from './harness/install-belay.ts';
import { waitUntil } from './harness/wait-until.ts';
import { inBackground, makeNamespace, succeeds, waitForHook } from './support/asking.ts';
import { BUNDLE } from './support/belay-command.ts';
import { createGuideClock, type GuideClock } from './support/guide-clock.ts';
import { readGuide, type Step } from './support/guide-document.ts';
import { isAsShown, tellsOfFailure, timesIn } from './support/guide-output.ts';
import { openHelmSdk } from './support/helm-sdk.ts';

/**
 * Runs docs/guide.md: every command in it, as the user that it names, by a shell, with what is shown below it as what has to come.
 * With BELAY_UPDATE_GUIDE=1 what has come is written into the guide, where it is not what is shown; look at the difference then.
 */

const PROJECT = join(import.meta.dirname, '../..');
const GUIDE = join(PROJECT, 'docs/guide.md');
const isUpdate = process.env.BELAY_UPDATE_GUIDE === '1';

const guide = await readFile(GUIDE, 'utf8');
const EDITORS = ['ci', 'dev'];
const ADMINS = ['sre'];

let plane: ControlPlane;
let shell: CommandLine;
let clock: GuideClock;
/** Where the commands run: charts, manifests, and the files of the guide. */
let dir: string;
const kubeconfigs = new Map<string, string>();
const times = new Set(timesIn(guide.replaceAll(/^(?![a-z]+ \$ ).*$/gm, '')));
const corrections: { readonly at: number; readonly count: number; readonly lines: readonly string[] }[] = [];

before(async () => {
  plane = await startControlPlane({ quiet: true, auditLog: true, intervals: 'shipped', belay: {} });
  dir = await layOutCharts(join(plane.dir, 'guide'), ['1.4.1', '1.5.0']);
  await cp(join(PROJECT, 'manifests'), join(dir, 'manifests'), { recursive: true });
  await symlink(join(plane.dir, 'audit.log'), join(dir, 'audit.log'));
  await putOnPath();
  shell = createCommandLine({
    homeDir: join(plane.dir, 'home'),
    adminKubeconfig: plane.adminKubeconfig,
    adopt: () => undefined, // each command is waited for
  });
  for (const name of [...EDITORS, ...ADMINS, 'ann']) kubeconfigs.set(name, await plane.user(name));
  kubeconfigs.set('platform', await plane.user('platform', ['system:masters']));
  clock = createGuideClock(Date.now());
});
after(async () => {
  await plane?.stop();
  if (!isUpdate) return;
  const lines = guide.split('\n');
  for (const { at, count, lines: seen } of corrections.toReversed()) lines.splice(at, count, ...seen);
  await writeFile(GUIDE, lines.join('\n'));
});

/** `helm`, `kubectl` and `belay` as users type them; and `curl`, which here reaches the one replica without a port-forward. */
const putOnPath = async (): Promise<void> => {
  const bin = join(plane.dir, 'bin');
  await mkdir(bin);
  await symlink(plane.bin.helm4 ?? '', join(bin, 'helm'));
  await symlink(plane.bin.kubectl ?? '', join(bin, 'kubectl'));
  await writeFile(join(bin, 'belay'), `#!/bin/sh\nexec '${process.execPath}' '${BUNDLE}' "$@"\n`);
  await chmod(join(bin, 'belay'), 0o755);
  const metrics = JSON.stringify(plane.belay.replicas[0]?.metricsUrl);
  const curl = `#!${process.execPath}\nfetch(${metrics}).then((answer) => answer.text()).then((text) => process.stdout.write(text));\n`;
  await writeFile(join(bin, 'curl'), curl);
  await chmod(join(bin, 'curl'), 0o755);
};

const run = (user: string, command: string): Promise<CommandResult> => {
  const as = kubeconfigs.get(user);
  assert.ok(as, `nobody introduces ${user}`);
  const env = { PATH: `${join(plane.dir, 'bin')}:${process.env.PATH}`, TZ: 'UTC' };
  return shell.run('sh', ['-c', `exec 2>&1\n${command}`], { as, cwd: dir, env });
};

/** Events, metrics and what controllers make come a moment later than what they tell of. */
const isLook = (command: string): boolean =>
  /^(kubectl (get|events|describe) |belay status |curl |grep )/.test(command);
const LOOK_FOR_MS = 15_000;

const policiesAreSettled = (): Promise<unknown> =>
  waitUntil('Belay has read the policies', async () => {
    const policies = await plane.api.list<{
      readonly metadata: { generation: number };
      readonly status?: { observedGeneration?: number };
    }>('releasepolicy');
    return policies.every(({ metadata, status }) => status?.observedGeneration === metadata.generation) || undefined;
  });

/** A policy holds, and ceases to, within two seconds (manifests/README.md). */
const POLICY_DELAY_MS = 2_000;

const follow = async ({ user, command, shown, at }: Step & { kind: 'command' }): Promise<void> => {
  const real = clock.toReal(command);
  const expectation = { fixed: times, ordered: !command.startsWith('kubectl events ') };
  const look = async (): Promise<CommandResult & { readonly fits: boolean }> => {
    const result = await run(user, real);
    return { ...result, fits: isAsShown(shown, clock.toGuide(result.stdout), expectation) };
  };
  let seen = await look();
  const giveUpMs = Date.now() + (isUpdate ? POLICY_DELAY_MS : LOOK_FOR_MS);
  while (!seen.fits && isLook(command) && Date.now() < giveUpMs) {
    await sleep(200);
    seen = await look();
  }
  if (/kubectl (apply|delete|edit|patch) /.test(command) && user === 'platform') {
    await policiesAreSettled();
    if (command.includes('delete')) await sleep(POLICY_DELAY_MS);
  }
  const text = clock
    .toGuide(seen.stdout)
    .replaceAll(/[ \t]+$/gm, '')
    .trimEnd();
  if (seen.fits) {
    assert.equal(seen.code !== 0, tellsOfFailure(shown), `docs/guide.md:${at}: exit code ${seen.code}`);
  } else if (isUpdate) {
    corrections.push({ at, count: shown.length, lines: text === '' ? [] : text.split('\n') });
  } else {
    assert.equal(text, shown.join('\n').trimEnd(), `docs/guide.md:${at}: ${user} $ ${command}`);
  }
};

/** Asides, by how they begin. */
const ASIDES: readonly (readonly [pattern: RegExp, act: (...names: string[]) => Promise<void>])[] = [
  [
    /^release (\S+) in namespace (\S+)$/,
    async (release, namespace) => {
      await makeNamespace(plane, namespace, { editors: EDITORS, admins: ADMINS });
      const { code, stdout } = await run('ci', `helm install ${release} ./shop -n ${namespace}`);
      assert.equal(code, 0, stdout);
    },
  ],
  [
    /^release (\S+) in namespace (\S+), its records in (\S+)$/,
    async (release, namespace, storage) => {
      const account = `system:serviceaccount:${storage}:helm-controller`;
      await makeNamespace(plane, namespace, { editors: [...EDITORS, account], admins: ADMINS });
      await makeNamespace(plane, storage, { editors: [account], admins: ADMINS });
      succeeds(await plane.kubectl(['create', 'serviceaccount', 'helm-controller', '-n', storage]));
      const sdk = await openHelmSdk(plane);
      const as = await plane.serviceAccountKubeconfig(storage, 'helm-controller');
      succeeds(await sdk('helm4', { storage, namespace }, ['install', release, join(dir, 'shop')], { as }));
    },
  ],
  [
    /^service account (\S+) in namespace (\S+)$/,
    async (name, namespace) => {
      succeeds(await plane.kubectl(['create', 'namespace', namespace]));
      succeeds(await plane.kubectl(['create', 'serviceaccount', name, '-n', namespace]));
      const args = ['--clusterrole=edit', `--serviceaccount=${namespace}:${name}`];
      succeeds(await plane.kubectl(['create', 'clusterrolebinding', `${namespace}-${name}`, ...args]));
    },
  ],
  [
    /^ci is killed while (\S+) in (\S+) is upgraded$/,
    async (release, namespace) => {
      const args = ['upgrade', release, join(dir, 'shop'), '-n', namespace, '--set', 'hooks.preUpgradeDelay=60s'];
      const upgrade = inBackground(plane, 'helm4', args, { as: kubeconfigs.get('ci') ?? '' });
      await waitForHook(plane, namespace, `${release}-migrate`);
      await upgrade.kill();
    },
  ],
  [
    /^nobody sweeps$/,
    async () => {
      succeeds(await plane.kubectl(['delete', 'clusterrole', 'belay-sweep', 'belay-drift-readable-kinds']));
      await plane.belay.replicas[0]?.restart();
    },
  ],
  [/^Belay stops$/, () => plane.belay.stop()],
  [/^Belay starts$/, () => plane.belay.start()],
  [/^Belay is asked again$/, () => waitForReviews(plane.api)],
];

const stage = async (text: string): Promise<void> => {
  for (const [pattern, act] of ASIDES) {
    const names = pattern.exec(text);
    if (names !== null) return act(...names.slice(1));
  }
  assert.fail(`docs/guide.md: nobody knows how to do this: ${text}`);
};

const perform = async (step: Step): Promise<void> => {
  switch (step.kind) {
    case 'aside':
      return stage(step.text);
    case 'file':
      return writeFile(join(dir, step.name), clock.toReal(step.text));
    case 'command':
      return follow(step);
  }
};

describe('the guide', () => {
  for (const { title, steps } of readGuide(guide)) {
    test(title, async () => {
      succeeds(await plane.kubectl(['delete', 'releasepolicies', '--all']));
      for (const step of steps) await perform(step);
    });
  }
});
