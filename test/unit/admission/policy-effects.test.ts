import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import type { Outcome, Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';

/** What a ReleasePolicy changes about the answers. */

const NEWER = { chart: { name: 'shop', version: '1.5.0' } };

let plane: MemoryPlane;
let dev: Person;
let sre: Person;
let backup: Person;
const image = (who: Person, name: string): Promise<Outcome> =>
  who.patch('deployment/web', [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: name }]);
const slower = (who: Person, seconds: number): Promise<Outcome> =>
  who.patch('deployment/web', { spec: { minReadySeconds: seconds } });

beforeEach(async () => {
  plane = await memoryPlane();
  dev = plane.as('dev');
  sre = plane.as('sre', 'admin');
  backup = plane.as('system:serviceaccount:shop:backup');
  succeeds(await plane.helm.install('web'));
});
afterEach(() => plane.stop());

describe('versions', () => {
  test('a range, and no downgrades', async () => {
    const says = [/ReleasePolicy house/, /kubectl edit releasepolicy house/];
    await plane.policy({ versions: { range: '1.4.x' } });
    isDenied(await untouched(plane, () => plane.helm.upgrade('web', {}, NEWER)), 'BelayPinned', ...says);
    succeeds(await plane.helm.upgrade('web', { greeting: 'b' }));
    await plane.policy({ versions: { downgrade: 'Deny' } });
    succeeds(await plane.helm.upgrade('web', {}, NEWER));
    isDenied(await untouched(plane, () => plane.helm.upgrade('web')), 'BelayDowngrade', ...says);
    isDenied(await plane.helm.rollback('web', 1), 'BelayDowngrade', ...says);
    await plane.policy({ versions: { downgrade: 'Deny', action: 'Off' } });
    succeeds(await plane.helm.rollback('web', 1));
  });
});

describe('freeze', () => {
  test('a window: nothing changes until it ends, and the message says when', async () => {
    // The plane's time is 12:00 of a Saturday.
    const windows = [{ schedule: '0 12 * * *', duration: '90m', timeZone: 'Etc/UTC', reason: 'stock taking' }];
    await plane.policy({ freeze: { windows } });
    const says = [/stock taking/, /until 2026-11-21T13:30:00Z/, /ReleasePolicy house/];
    isDenied(await untouched(plane, () => plane.helm.upgrade('web', {}, NEWER)), 'BelayFrozen', ...says);
    isDenied(await untouched(plane, () => image(dev, 'nginx:1.29')), 'BelayFrozen', ...says);
    isDenied(await untouched(plane, () => sre.delete('service/web')), 'BelayFrozen', ...says);
    isDenied(await untouched(plane, () => plane.helm.uninstall('web')), 'BelayFrozen');
    isDenied(await untouched(plane, () => plane.admin.delete('namespace/shop')), 'BelayFrozen', ...says);
    plane.clock.advance(90 * 60_000);
    succeeds(await plane.helm.upgrade('web', {}, NEWER));
  });

  test('of the policy holds until the policy is changed', async () => {
    await plane.policy({ freeze: { reason: 'peak season' } });
    const says = [/peak season/, /kubectl edit releasepolicy house/];
    isDenied(await untouched(plane, () => plane.helm.upgrade('web')), 'BelayFrozen', ...says);
    await plane.policy(null);
    succeeds(await plane.helm.upgrade('web'));
  });

  test('that only warns leaves drift to be judged', async () => {
    await plane.policy({ freeze: { action: 'Warn', reason: 'audit week' } });
    isDenied(await image(dev, 'nginx:1.29'), 'BelayDrift');
    const { said } = succeeds(await plane.helm.upgrade('web'));
    assert.equal(said, '');
    const warned = plane.asked.flatMap(({ response }) => response.warnings ?? []);
    assert.ok(warned.some((line) => /it is frozen: "audit week" \[BelayFrozen\]/.test(line)));
  });
});

describe('match', () => {
  test('a policy holds for the releases that it names, and for no others', async () => {
    await plane.policy({ match: { releases: ['we*'] }, versions: { range: '<1' } });
    isDenied(await plane.helm.upgrade('web'), 'BelayPinned');
    isDenied(await plane.helm.install('web2'), 'BelayPinned');
    succeeds(await plane.helm.install('api'));
  });

  test('of two policies, the one of the higher priority alone is in force', async () => {
    await plane.policy({ priority: 1, drift: { action: 'Off' } }, 'low');
    await plane.policy({ priority: 2, freeze: { reason: 'high' } }, 'high');
    isDenied(await image(dev, 'nginx:1.29'), 'BelayFrozen', /high/);
    await plane.policy(null, 'high');
    succeeds(await image(dev, 'nginx:1.29'));
  });
});

describe('actions', () => {
  test('Deny refuses; Warn lets it pass and shows the same words; Audit keeps them for the audit log; Off says nothing', async () => {
    const denied = isDenied(await image(dev, 'nginx:1.29'), 'BelayDrift');
    const refusal = denied.slice(denied.indexOf('change of Deployment'));
    await plane.policy({ drift: { action: 'Warn' } });
    assert.equal(succeeds(await image(dev, 'nginx:1.29')).said.trim(), refusal.trim());
    await plane.policy({ drift: { action: 'Audit' } });
    assert.equal(succeeds(await image(dev, 'nginx:1.30')).said, '');
    const note = plane.asked.at(-1)?.response.auditAnnotations?.['would-refuse'] ?? '';
    assert.match(note, /change of Deployment web .*\[BelayDrift\].*nginx:1\.30/);
    await plane.policy({ drift: { action: 'Off' } });
    succeeds(await image(dev, 'nginx:1.31'));
    assert.equal(plane.asked.at(-1)?.response.auditAnnotations, undefined);
    succeeds(await dev.delete('service/web'));
    await plane.policy(null);
    isDenied(await image(dev, 'nginx:1.29'), 'BelayDrift');
    const told = (await plane.events()).map(({ reason }) => reason);
    for (const reason of ['RefusalWarned', 'RefusalAudited', 'DriftRefused']) assert.ok(told.includes(reason), reason);
  });

  test('where a policy only warns of a second operation, it runs, and leaves the record as Helm would', async () => {
    await plane.policy({ operations: { action: 'Warn' } });
    await plane.helm.start((helm) => helm.upgrade('web'));
    succeeds(await sre.helm.rollback('web', 1));
    assert.equal(await plane.history('web'), 'v1 superseded, v2 pending-upgrade, v3 deployed');
    const warned = plane.asked.flatMap(({ response }) => response.warnings ?? []);
    assert.ok(warned.some((line) => /is in flight \[BelayOperationInFlight\]/.test(line)));
  });
});

describe('drift', () => {
  test('ignored paths may be changed, beside nothing else', async () => {
    const deployments = { group: 'apps', kind: 'Deployment' };
    await plane.policy({ drift: { ignore: [{ ...deployments, name: 'w*', paths: ['/spec/replicas'] }] } });
    succeeds(await dev.scale('deployment/web', 4));
    succeeds(await dev.patch('deployment/web', { spec: { replicas: 3 } }));
    isDenied(await image(dev, 'nginx:1.29'), 'BelayDrift');
    const both = { spec: { replicas: 2, minReadySeconds: 5 } };
    const said = isDenied(await dev.patch('deployment/web', both), 'BelayDrift', /minReadySeconds/);
    assert.doesNotMatch(said, /spec\.replicas/);
  });

  test('a wildcard stands for any item of a list', async () => {
    const paths = ['/spec/template/spec/containers/*/image'];
    await plane.policy({ drift: { ignore: [{ group: 'apps', kind: 'Deployment', name: '*', paths }] } });
    succeeds(await image(dev, 'nginx:1.29'));
    isDenied(await slower(dev, 5), 'BelayDrift');
  });

  test('trusted users, groups and service accounts pass, and the audit log says so', async () => {
    const eve = plane.as('eve', 'edit', ['oncall']);
    for (const who of [backup, eve]) isDenied(await image(who, 'nginx:1.32'), 'BelayDrift');
    await plane.policy({
      drift: {
        trusted: [
          { kind: 'ServiceAccount', namespace: 'shop', name: 'backup' },
          { kind: 'Group', name: 'oncall' },
          { kind: 'User', name: 'sre' },
        ],
      },
    });
    for (const [who, name] of [
      [backup, 'nginx:1.32'],
      [eve, 'nginx:1.33'],
      [sre, 'nginx:1.34'],
    ] as const) {
      succeeds(await image(who, name));
      assert.match(plane.asked.at(-1)?.response.auditAnnotations?.trusted ?? '', /ReleasePolicy house/);
    }
    isDenied(await image(dev, 'nginx:1.35'), 'BelayDrift');
  });

  test('people with the scope ChartFields may add what the chart leaves out; a service account with AllFields may not', async () => {
    await plane.policy({ drift: { users: 'ChartFields', serviceAccounts: 'AllFields' } });
    succeeds(await slower(dev, 7));
    isDenied(await image(dev, 'nginx:1.36'), 'BelayDrift');
    isDenied(await slower(backup, 8), 'BelayDrift', /minReadySeconds/);
    await plane.policy(null);
    isDenied(await slower(dev, 9), 'BelayDrift');
    succeeds(await slower(backup, 8));
  });
});
