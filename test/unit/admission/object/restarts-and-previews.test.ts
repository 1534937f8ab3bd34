import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Outcome, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';

/** What people do to a release's objects without changing what the chart wants: restart Pods, and look at what a change would do. */

let plane: MemoryPlane;
let dev: Person;
const RECORD = 'secret/sh.helm.release.v1.web.v1';

beforeEach(async () => {
  plane = await memoryPlane();
  dev = plane.as('dev');
  succeeds(await plane.helm.install('web'));
});
afterEach(() => plane.stop());

const annotate = (key: string, value: string | null, more: object = {}): Promise<Outcome> =>
  dev.patch('deployment/web', { spec: { template: { metadata: { annotations: { [key]: value } } }, ...more } });

const RESTARTS = [
  'kubectl.kubernetes.io/restartedAt',
  'cattle.io/timestamp',
  'openshift.openshift.io/restartedAt',
  'aptakube.com/restartedAt',
  'kubesphere.io/restartedAt',
  'any.example/restartedAt',
];

const NO_RESTARTS = [
  'restartedAt',
  'kubectl.kubernetes.io/restartedAt2',
  'kubectl.kubernetes.io/restartedat',
  'cattle.io/timestamps',
  'example.com/timestamp',
  'sidecar.istio.io/inject',
];

describe('a restart', () => {
  for (const key of RESTARTS)
    test(`by ${key} passes, and not while the release is frozen`, async () => {
      succeeds(await annotate(key, '2026-11-28T09:00:00Z'));
      succeeds(await annotate(key, null));
      isDenied(await untouched(plane, () => annotate(key, 'x', { paused: true })), 'BelayDrift', /paused/);
      await plane.freeze('web');
      isDenied(
        await untouched(plane, () => annotate(key, '2026-11-28T10:00:00Z')),
        'BelayFrozen',
        /Pods may still be deleted: kubectl delete pod -n shop -l app=web\n/,
      );
    });

  for (const key of NO_RESTARTS)
    test(`by ${key} is none, and the refusal names the command that works`, async () => {
      isDenied(
        await untouched(plane, () => annotate(key, 'x')),
        'BelayDrift',
        /to restart its Pods and change nothing else:\n +kubectl rollout restart deployment\/web -n shop\n/,
      );
    });

  test('is not proposed where more was to be changed', async () => {
    const { said } = await annotate('example.com/timestamp', 'x', { paused: true });
    assert.doesNotMatch(said, /rollout restart/);
  });

  test('outside of the Pod template restarts nothing, and is an annotation as any other', async () => {
    await plane.freeze('web');
    succeeds(await dev.annotate('deployment/web', { 'any.example/restartedAt': 'x' }));
  });
});

describe('a dry run', () => {
  const query = { dryRun: 'All' };
  const dry = {
    change: () => dev.patch('deployment/web', { spec: { paused: true } }, query),
    apply: () =>
      dev.apply(
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { GREETING: 'evil' } },
        { ...query, force: 'true', fieldManager: 'kubectl-client-side-apply' },
      ),
    delete: () => dev.delete('service/web', query),
  };
  const warns = (outcome: Outcome, code: string): void => {
    succeeds(outcome);
    assert.match(outcome.said, /only a dry run: without it, Belay refuses this:/);
    assert.match(outcome.said, new RegExp(`refused: .*\\[${code}\\]`));
  };

  test('of what would be refused passes with the refusal as a warning, and stores nothing', async () => {
    for (const ask of Object.values(dry)) warns(await untouched(plane, ask), 'BelayDrift');
    isDenied(await untouched(plane, () => dev.patch('deployment/web', { spec: { paused: true } })), 'BelayDrift');
  });

  test('of a frozen release passes likewise', async () => {
    await plane.freeze('web');
    for (const ask of Object.values(dry)) warns(await untouched(plane, ask), 'BelayFrozen');
    isDenied(await untouched(plane, () => dev.delete('service/web')), 'BelayFrozen');
  });

  test('while an operation is in flight passes likewise', async () => {
    await plane.helm.start((helm) => helm.upgrade('web'));
    warns(await untouched(plane, dry.delete), 'BelayOperationInFlight');
  });

  test('is refused where the policy says so, and warned of where it only warns', async () => {
    await plane.policy({ drift: { dryRun: 'Deny' } });
    for (const ask of Object.values(dry)) isDenied(await untouched(plane, ask), 'BelayDrift');
    await plane.policy({ drift: { action: 'Warn' } });
    const outcome = await dry.change();
    succeeds(outcome);
    assert.match(outcome.said, /BelayDrift/);
    assert.doesNotMatch(outcome.said, /only a dry run/);
  });

  test('of what passes says nothing', async () => {
    const outcome = await dev.patch('deployment/web', { metadata: { labels: { team: 'shop' } } }, query);
    succeeds(outcome);
    assert.equal(outcome.said.trim(), '');
  });

  test('of an operation and of a lock is refused as ever', async () => {
    await plane.freeze('web');
    const patch = (annotations: object) => dev.patch(RECORD, { metadata: { annotations } }, query);
    isDenied(await untouched(plane, () => patch({ 'belay.dev/freeze': null })), 'BelayLockForbidden');
    isDenied(await untouched(plane, () => patch({ 'belay.dev/freezed': 'x' })), 'BelayBadLock');
    isDenied(await untouched(plane, () => dev.delete(RECORD, query)), 'BelayFrozen');
    isDenied(await untouched(plane, () => plane.admin.delete('namespace/shop', query)), 'BelayFrozen');
  });
});
