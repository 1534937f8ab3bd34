import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditAnnotations } from './harness/api-server.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import {
  HELMS,
  historyOf,
  inBackground,
  isDenied,
  makeNamespace,
  SHOP,
  succeeds,
  untouched,
  waitForHook,
} from './support/asking.ts';
import { applyPolicy, deletePolicy } from './support/policies.ts';

/** What each field of a policy does to what real users do with real Helm and kubectl. */

let plane: ControlPlane;
let newer: string;

before(async () => {
  plane = await startControlPlane({ quiet: true, auditLog: true, belay: {} });
  await Promise.all(['ci', 'dev', 'sre'].map((user) => plane.user(user)));
  newer = join(plane.dir, 'shop-1.6.0');
  await cp(SHOP, newer, { recursive: true });
  const chart = await readFile(join(newer, 'Chart.yaml'), 'utf8');
  await writeFile(join(newer, 'Chart.yaml'), chart.replace('version: 1.4.0', 'version: 1.6.0'));
});
after(() => plane?.stop());

/** A namespace with the release `web` in it, and a policy of its own for it. */
const place = (namespace: string) => {
  const as = (user: string): string => join(plane.dir, `${user}.kubeconfig`);
  const match = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
  return {
    namespace,
    create: async () => {
      await makeNamespace(plane, namespace, { editors: ['ci', 'dev'], admins: ['sre'] });
      succeeds(await plane.helm3(['install', 'web', SHOP, '-n', namespace], { as: as('ci') }));
    },
    policy: (spec: object, more: object = {}) =>
      applyPolicy(plane, namespace, { match: { ...match, ...more }, ...spec }),
    helm: (helm: 'helm3' | 'helm4', ...args: readonly string[]) =>
      plane[helm]([...args, '-n', namespace], { as: as('ci') }),
    kubectl: (user: string, ...args: readonly string[]) => plane.kubectl([...args, '-n', namespace], { as: as(user) }),
    image: (user: string, image: string) =>
      plane.kubectl(['set', 'image', 'deployment/web', `web=${image}`, '-n', namespace], { as: as(user) }),
  };
};

const metric = async (name: string): Promise<number> => {
  const [replica] = plane.belay.replicas;
  const text = await (await fetch(replica?.metricsUrl ?? '')).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

for (const helm of HELMS) {
  test(`versions, with ${helm}: a range, and no downgrades`, async () => {
    const { create, policy, helm: run, namespace } = place(`range-${helm}`);
    await create();
    await policy({ versions: { range: '1.4.x' } });
    const says = [/ReleasePolicy range-/, /kubectl edit releasepolicy range-/];
    isDenied(await untouched(plane, namespace, () => run(helm, 'upgrade', 'web', newer)), 'BelayPinned', ...says);
    succeeds(await run(helm, 'upgrade', 'web', SHOP, '--set', 'greeting=b'));
    await policy({ versions: { downgrade: 'Deny' } });
    succeeds(await run(helm, 'upgrade', 'web', newer));
    isDenied(await untouched(plane, namespace, () => run(helm, 'upgrade', 'web', SHOP)), 'BelayDowngrade', ...says);
    isDenied(await run(helm, 'rollback', 'web', '1'), 'BelayDowngrade', ...says);
    await policy({ versions: { downgrade: 'Deny', action: 'Off' } });
    succeeds(await run(helm, 'rollback', 'web', '1'));
  });
}

test('a freeze of the policy holds until the policy is changed', async () => {
  const { create, policy, helm, namespace } = place('frozen');
  await create();
  await policy({ freeze: { reason: 'peak season' } });
  isDenied(
    await untouched(plane, namespace, () => helm('helm4', 'upgrade', 'web', newer)),
    'BelayFrozen',
    /peak season/,
    /kubectl edit releasepolicy frozen/,
  );
  await deletePolicy(plane, 'frozen');
  await sleep(2_000);
  succeeds(await helm('helm4', 'upgrade', 'web', newer));
});

describe('actions', () => {
  const { create, policy, helm, image, kubectl, namespace } = place('actions');
  before(create);

  test('Deny refuses; Warn lets it pass and shows the same words; Audit keeps them for the audit log; Off says nothing', async () => {
    const denied = isDenied(await image('dev', 'nginx:1.29'), 'BelayDrift');
    const refusal = denied.slice(denied.indexOf('change of Deployment'));

    await policy({ drift: { action: 'Warn' } });
    const warned = await image('dev', 'nginx:1.29');
    succeeds(warned);
    const lines = warned.stderr.split('\n').filter((line) => line.startsWith('Warning: '));
    // The command that opens the release names a time an hour ahead.
    const timeless = (text: string) => text.replaceAll(/open-until=\S+/g, 'open-until=');
    assert.equal(timeless(lines.map((line) => line.slice('Warning: '.length)).join('\n')), timeless(refusal.trimEnd()));

    await policy({ drift: { action: 'Audit' } });
    const before = await metric('belay_refusals_waived_total');
    const audited = await image('dev', 'nginx:1.30');
    succeeds(audited);
    assert.doesNotMatch(audited.stderr, /Warning|Belay/);
    assert.equal((await metric('belay_refusals_waived_total')) - before, 1);
    const notes = await auditAnnotations(plane.dir, 'objects.belay.dev');
    const last = notes.findLast(({ object }) => object === `deployments/${namespace}/web`);
    assert.equal(last?.username, 'dev');
    assert.match(last?.notes['would-refuse'] ?? '', /change of Deployment web .*\[BelayDrift\].*nginx:1\.30/);

    await policy({ drift: { action: 'Off' } });
    succeeds(await image('dev', 'nginx:1.31'));
    assert.equal((await metric('belay_refusals_waived_total')) - before, 1);
    succeeds(await kubectl('dev', 'delete', 'service', 'web'));
    await policy({});
    isDenied(await image('dev', 'nginx:1.29'), 'BelayDrift');
    succeeds(await helm('helm3', 'upgrade', 'web', SHOP));
  });

  test('where a second operation only warns, it runs, and the record is as Helm would leave it', async () => {
    await policy({ operations: { action: 'Warn' } });
    const slow = inBackground(
      plane,
      'helm3',
      ['upgrade', 'web', SHOP, '-n', namespace, '--set', 'hooks.preUpgradeDelay=60s'],
      {
        as: join(plane.dir, 'ci.kubeconfig'),
      },
    );
    await waitForHook(plane, namespace, 'web-migrate');
    const second = await plane.helm4(['rollback', 'web', '1', '-n', namespace], {
      as: join(plane.dir, 'sre.kubeconfig'),
    });
    succeeds(second);
    assert.match(second.stderr, /is in flight \[BelayOperationInFlight\]/);
    await slow.kill();
    assert.match(await historyOf(plane, namespace, 'web'), /pending-upgrade, v\d+ deployed$/);
  });
});

describe('drift', () => {
  const { create, policy, image, namespace } = place('leeway');
  before(create);

  test('trusted users, groups and service accounts pass, and the audit log says so', async () => {
    succeeds(await plane.kubectl(['create', 'serviceaccount', 'backup', '-n', namespace]));
    succeeds(
      await plane.kubectl([
        ...['create', 'rolebinding', 'backup', '-n', namespace, '--clusterrole=edit'],
        ...[`--serviceaccount=${namespace}:backup`, '--group=oncall'],
      ]),
    );
    const backup = await plane.serviceAccountKubeconfig(namespace, 'backup');
    const eve = await plane.user('eve', ['oncall']);
    const set = (as: string, image: string) =>
      plane.kubectl(['set', 'image', 'deployment/web', `web=${image}`, '-n', namespace], { as });
    await policy({});
    for (const as of [backup, eve]) isDenied(await set(as, 'nginx:1.32'), 'BelayDrift');
    await policy({
      drift: {
        trusted: [
          { kind: 'ServiceAccount', namespace, name: 'backup' },
          { kind: 'Group', name: 'oncall' },
          { kind: 'User', name: 'sre' },
        ],
      },
    });
    succeeds(await set(backup, 'nginx:1.32'));
    succeeds(await set(eve, 'nginx:1.33'));
    succeeds(await image('sre', 'nginx:1.34'));
    isDenied(await image('dev', 'nginx:1.35'), 'BelayDrift');
    const notes = await auditAnnotations(plane.dir, 'objects.belay.dev');
    assert.match(notes.at(-1)?.notes.trusted ?? '', /ReleasePolicy leeway/);
  });

  test('a controller scales what an autoscaler targets, or what a policy leaves to it, and nothing else', async () => {
    const scaler = await plane.serviceAccountKubeconfig(namespace, 'backup');
    const scale = (count: number) =>
      plane.kubectl(['scale', 'deployment/web', `--replicas=${count}`, '-n', namespace], { as: scaler });
    const set = () =>
      plane.kubectl(['set', 'image', 'deployment/web', 'web=nginx:1.36', '-n', namespace], { as: scaler });
    await policy({});
    isDenied(await scale(4), 'BelayDrift');
    const subjects = [{ kind: 'ServiceAccount', namespace, name: 'backup' }];
    await policy({ drift: { allow: [{ subjects, kind: 'Deployment', paths: ['/spec/replicas'] }] } });
    succeeds(await scale(4));
    isDenied(await set(), 'BelayDrift');
    await policy({});
    isDenied(await scale(5), 'BelayDrift');
    succeeds(await plane.kubectl(['autoscale', 'deployment/web', '--min=1', '--max=9', '-n', namespace]));
    succeeds(await scale(5));
    isDenied(await set(), 'BelayDrift');
  });
});

test('opening and breaking leave audit annotations with the reason', async () => {
  const { create, kubectl, image, namespace } = place('noted');
  await create();
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const records = ['secret', '-l', 'owner=helm,name=web'];
  succeeds(await kubectl('sre', 'annotate', ...records, 'belay.dev/open=migration', `belay.dev/open-until=${until}`));
  succeeds(await image('dev', 'nginx:1.29'));
  const opened = (await auditAnnotations(plane.dir, 'records.belay.dev')).at(-1);
  assert.equal(opened?.object, `secrets/${namespace}/sh.helm.release.v1.web.v1`);
  assert.match(opened?.notes.open ?? '', /belay\.dev\/open="migration"/);
  const used = (await auditAnnotations(plane.dir, 'objects.belay.dev')).at(-1);
  assert.match(used?.notes.open ?? '', /open until .*migration/);
  const tooLong = ['--overwrite', `belay.dev/open-until=${new Date(Date.now() + 25 * 3_600_000).toISOString()}`];
  isDenied(await kubectl('sre', 'annotate', ...records, ...tooLong), 'BelayBadLock', /too far ahead/, /24 hours/);
});
