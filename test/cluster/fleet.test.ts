import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CommandResult, type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import {
  editPayload,
  fails,
  historyOf,
  isDenied,
  makeNamespace,
  readRecord,
  SHOP,
  succeeds,
  untouched,
} from './support/asking.ts';
import { type HelmSdk, openHelmSdk } from './support/helm-sdk.ts';
import { nothingIsRefused } from './support/refusals.ts';

/**
 * Programs that write records as no Helm command does: Fleet's agent takes a failed rollback back, mapkubeapis stores a revision as
 * deployed without an operation. Both go on; the same writes by others, or at another time, are forgeries.
 */

let plane: ControlPlane;
let sdk: HelmSdk;
let users: Record<'agent' | 'dev', string>;

before(async () => {
  plane = await startControlPlane({ quiet: true, helm: ['helm4'], belay: {} });
  sdk = await openHelmSdk(plane);
  const [agent, dev] = await Promise.all(['agent', 'dev'].map((name) => plane.user(name)));
  assert.ok(agent && dev);
  users = { agent, dev };
});
after(() => plane?.stop());

const recordOf = (revision: number): string => `sh.helm.release.v1.web.v${revision}`;

/** A record's label and payload with another status. */
const move = async (namespace: string, revision: number, status: string, as: string): Promise<CommandResult> => {
  const stored = await readRecord(plane, namespace, recordOf(revision));
  const release = editPayload(stored.data.release, (payload) => {
    payload.info.status = status;
  });
  const patch = JSON.stringify({ metadata: { labels: { status } }, data: { release } });
  return plane.kubectl(['patch', 'secret', recordOf(revision), '-n', namespace, '--type=merge', '-p', patch], { as });
};

describe('Fleet', () => {
  const namespace = 'fleet';
  const places = { storage: namespace, namespace };
  const correctDrift = (): Promise<CommandResult> =>
    sdk('helm4', places, ['correct-drift', 'web'], { as: users.agent });
  const helm = (...args: readonly string[]): Promise<CommandResult> =>
    plane.helm4([...args, '-n', namespace], { as: users.agent });
  const selector = (): Promise<string> => plane.api.field('service/web', '.spec.selector.app', { namespace });
  /** Drift that came about behind Belay, as one of Kubernetes' own controllers, of which it is not asked. */
  const drift = async (): Promise<void> => {
    const controller = ['--as=system:kube-controller-manager', '--as-group=system:masters'];
    const patch = '--patch={"spec":{"selector":{"app":"drifted"}}}';
    succeeds(await plane.kubectl(['patch', 'service', 'web', '-n', namespace, patch, ...controller]));
  };
  /** What the agent may write of Services: without `patch` a rollback of one that has drifted fails. */
  const letServices = async (...verbs: readonly string[]): Promise<void> => {
    const rules = [
      { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['*'] },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'] },
      { apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'create', ...verbs] },
    ];
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'agent', namespace } };
    succeeds(await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ ...role, rules }) }));
  };

  before(async () => {
    await makeNamespace(plane, namespace, { editors: ['dev'] });
    await letServices('patch');
    succeeds(await plane.kubectl(['create', 'rolebinding', 'agent', '-n', namespace, '--role=agent', '--user=agent']));
    succeeds(await helm('install', 'web', SHOP));
  });

  test('corrects drift by a rollback to what runs', async () => {
    await drift();
    await nothingIsRefused(plane, async () => {
      succeeds(await correctDrift());
    });
    assert.equal(await selector(), 'web');
    assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 deployed');
  });

  test('takes a rollback back that failed, and tries again', async () => {
    await drift();
    await letServices();
    await nothingIsRefused(plane, async () => {
      for (const _attempt of [1, 2]) {
        const failed = fails(await correctDrift(), /cannot patch "web" with kind Service/);
        assert.doesNotMatch(failed, /restore|delete of the failed/);
        assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 deployed');
      }
      await letServices('patch');
      succeeds(await correctDrift());
    });
    assert.equal(await selector(), 'web');
    assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 superseded, v3 deployed');
  });

  test('nobody else takes it back, and nothing older is brought back', async () => {
    await drift();
    await letServices();
    const rollback = ['rollback', 'web', '3', '--server-side=false'];
    fails(await helm(...rollback), /cannot patch "web" with kind Service/);
    assert.match(await historyOf(plane, namespace, 'web'), /v3 superseded, v4 failed$/);
    const refused = async (attempt: () => Promise<CommandResult>): Promise<void> => {
      isDenied(await untouched(plane, namespace, attempt), 'BelayRecordProtected');
    };
    const remove = (as: string) => plane.kubectl(['delete', 'secret', recordOf(4), '-n', namespace], { as });
    await refused(() => remove(users.dev));
    for (const as of [users.dev, users.agent]) {
      await refused(() => move(namespace, 3, 'deployed', as));
      await refused(() => move(namespace, 1, 'deployed', as));
      await refused(() => move(namespace, 4, 'deployed', as));
    }
    succeeds(await remove(users.agent));
    await refused(() => move(namespace, 3, 'deployed', users.dev));
    for (const revision of [1, 2]) await refused(() => move(namespace, revision, 'deployed', users.agent));
    succeeds(await move(namespace, 3, 'deployed', users.agent));
    assert.match(await historyOf(plane, namespace, 'web'), /v2 superseded, v3 deployed$/);
    await refused(() => move(namespace, 3, 'failed', users.agent));
    await letServices('patch');
    succeeds(await helm('upgrade', 'web', SHOP, '--set', 'greeting=on'));
  });

  test('a lock is not lost with the failed revision', async () => {
    const pinned = ['annotate', 'secret', '-n', namespace, '-l', 'owner=helm,name=web,status=deployed'];
    succeeds(await plane.kubectl([...pinned, 'belay.dev/pin=>=0']));
    await drift();
    await letServices();
    fails(await correctDrift(), /belay\.dev\/pin is on no other revision/);
    assert.match(await historyOf(plane, namespace, 'web'), /superseded, v5 failed$/);
    // What the agent does then is to roll back to the failed one, which holds the same.
    await letServices('patch');
    succeeds(await correctDrift());
    const { metadata } = await readRecord(plane, namespace, recordOf(6));
    assert.equal(metadata?.annotations?.['belay.dev/pin'], '>=0');
  });
});

describe('mapkubeapis', () => {
  const namespace = 'mapped';
  const places = { storage: namespace, namespace };
  const map = (as: string): Promise<CommandResult> => sdk('helm3', places, ['map-apis', 'web'], { as });
  const helm = (...args: readonly string[]): Promise<CommandResult> =>
    plane.helm4([...args, '-n', namespace], { as: users.agent });

  before(async () => {
    await makeNamespace(plane, namespace, { admins: ['agent'], editors: ['dev'] });
    succeeds(await helm('install', 'web', SHOP));
  });

  test('stores its copy as deployed, over the one that it supersedes', async () => {
    await nothingIsRefused(plane, async () => {
      succeeds(await map(users.agent));
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 deployed');
      succeeds(await helm('upgrade', 'web', SHOP, '--set', 'greeting=after'));
    });
    assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 superseded, v3 deployed');
  });

  test('not on a frozen release, and not out of a pin', async () => {
    const record = ['annotate', 'secret', '-n', namespace, '-l', 'owner=helm,name=web'];
    for (const [lock, code] of [
      ['belay.dev/freeze=closed', 'BelayFrozen'],
      ['belay.dev/pin=99.x', 'BelayPinned'],
    ] as const) {
      succeeds(await plane.kubectl([...record, lock]));
      isDenied(await untouched(plane, namespace, () => map(users.agent)), code);
      succeeds(await plane.kubectl([...record, `${lock.split('=')[0]}-`]));
    }
  });

  test('not by somebody who may not break the release', async () => {
    isDenied(await untouched(plane, namespace, () => map(users.dev)), 'BelayRecordProtected', /verb break/);
  });

  test('between its two writes the release is its own', async () => {
    succeeds(await move(namespace, 3, 'superseded', users.agent));
    isDenied(await move(namespace, 3, 'deployed', users.dev), 'BelayRecordProtected');
    const upgrade = await plane.helm4(['upgrade', 'web', SHOP, '-n', namespace], { as: users.dev });
    isDenied(upgrade, 'BelayOperationInFlight', /by agent/);
  });
});
