import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { DenialCode } from '../../src/rules/verdict.ts';
import {
  type CommandOptions,
  type CommandResult,
  type ControlPlane,
  startControlPlane,
} from './harness/control-plane.ts';
import {
  type Background,
  editPayload,
  HELMS,
  type Helm,
  historyOf,
  inBackground,
  isDenied,
  makeNamespace,
  type Payload,
  readRecord,
  revisionsOf,
  SHOP,
  stateOf,
  succeeds,
  untouched,
  waitForHook,
} from './support/asking.ts';

/**
 * What somebody with the built-in ClusterRole `edit` may try. An attack is refused with Belay's code and leaves the namespace as it was;
 * what must go on working is asserted beside it.
 */

let plane: ControlPlane;
let users: Record<'ci' | 'dev', string>;

before(async () => {
  plane = await startControlPlane({ quiet: true, belay: {} });
  const [ci, dev] = await Promise.all(['ci', 'dev'].map((name) => plane.user(name)));
  assert.ok(ci && dev);
  users = { ci, dev };
});
after(() => plane?.stop());

const kubectlIn =
  (namespace: string) =>
  (args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
    plane.kubectl([...args, ...(args.includes('--raw') ? [] : ['-n', namespace])], { as: users.dev, ...options });
const helmIn =
  (namespace: string, helm: Helm) =>
  (...args: readonly string[]): Promise<CommandResult> =>
    plane[helm]([...args, '-n', namespace], { as: users.ci });

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const RELEASE_NAME = 'meta.helm.sh/release-name';
const RELEASE_NAMESPACE = 'meta.helm.sh/release-namespace';
const merge = (patch: unknown): readonly string[] => ['--type=merge', `--patch=${JSON.stringify(patch)}`];

for (const helm of HELMS) {
  describe(`the objects of a release of ${helm}`, () => {
    const namespace = `objects-${helm}`;
    const kubectl = kubectlIn(namespace);
    const run = helmIn(namespace, helm);
    const read = (object: string): Promise<KubernetesObject> => plane.api.read(object, { namespace });
    /** The ConfigMap with another greeting, as somebody would edit it. */
    const edited = async (
      change: (object: KubernetesObject) => KubernetesObject = (object) => object,
    ): Promise<string> => {
      const { data: _data, ...object } = await read('configmap/web');
      const { resourceVersion: _version, uid: _uid, ...metadata } = object.metadata ?? {};
      return JSON.stringify(change({ ...object, metadata, data: { GREETING: 'evil' } }));
    };

    before(async () => {
      await makeNamespace(plane, namespace, { editors: ['ci', 'dev'] });
      succeeds(await run('install', 'web', SHOP));
    });

    const strip = (...keys: readonly string[]) => ({
      metadata: {
        ...(keys.includes(MANAGED_BY) && { labels: { [MANAGED_BY]: null } }),
        annotations: Object.fromEntries(keys.filter((key) => key !== MANAGED_BY).map((key) => [key, null])),
      },
    });
    const marks = [MANAGED_BY, RELEASE_NAME, RELEASE_NAMESPACE];

    const attacks: readonly [title: string, args: readonly string[], code?: DenialCode][] = [
      [
        'an added container',
        [
          'patch',
          'deployment',
          'web',
          '--patch={"spec":{"template":{"spec":{"containers":[{"name":"evil","image":"evil"}]}}}}',
        ],
      ],
      [
        'scaling with the field manager of Helm',
        [
          'patch',
          'deployment',
          'web',
          '--subresource=scale',
          '--field-manager=helm',
          ...merge({ spec: { replicas: 0 } }),
        ],
      ],
      [
        'managedFields erased, and a change at once',
        ['patch', 'configmap', 'web', ...merge({ metadata: { managedFields: [{}] }, data: { GREETING: 'evil' } })],
      ],
      [
        'all three marks stripped, and a change at once',
        ['patch', 'configmap', 'web', ...merge({ ...strip(...marks), data: { GREETING: 'evil' } })],
      ],
      ['a delete that orphans', ['delete', 'deployment', 'web', '--cascade=orphan']],
      ['a delete in the foreground', ['delete', 'deployment', 'web', '--cascade=foreground']],
      ['a delete of all', ['delete', 'deployment', '--all']],
      ['a delete by selector', ['delete', 'service,configmap,deployment', '-l', `${MANAGED_BY}=Helm`]],
      ['a deletecollection', ['delete', '--raw', `/apis/apps/v1/namespaces/${namespace}/deployments`]],
      [
        'a deletecollection by selector',
        ['delete', '--raw', `/api/v1/namespaces/${namespace}/configmaps?labelSelector=${MANAGED_BY}%3DHelm`],
      ],
    ];
    for (const [title, args, code = 'BelayDrift'] of attacks) {
      test(title, async () => {
        isDenied(await untouched(plane, namespace, () => kubectl(args)), code);
      });
    }

    const byFile: readonly [
      title: string,
      args: readonly string[],
      change?: (object: KubernetesObject) => KubernetesObject,
    ][] = [
      ['replace --force, which deletes and creates', ['replace', '--force']],
      ['apply', ['apply']],
      [
        'server-side apply with force, as helm',
        ['apply', '--server-side', '--force-conflicts', '--field-manager=helm'],
      ],
      ['delete by file', ['delete']],
    ];
    for (const [title, args, change] of byFile) {
      test(title, async () => {
        const input = await edited(change);
        isDenied(await untouched(plane, namespace, () => kubectl([...args, '-f', '-'], { input })), 'BelayDrift');
      });
    }

    test('managedFields erased first, then a change', async () => {
      await kubectl(['patch', 'deployment', 'web', ...merge({ metadata: { managedFields: [{}] } })]);
      isDenied(
        await untouched(plane, namespace, () => kubectl(['set', 'image', 'deployment/web', 'web=evil'])),
        'BelayDrift',
        /containers\[web\]\.image: "nginx:1\.27" -> "evil"/,
      );
    });

    test('what was removed behind Belay is created anew by its chart alone', async () => {
      const service = await read('service/web');
      const { resourceVersion: _version, uid: _uid, ...metadata } = service.metadata ?? {};
      const input = JSON.stringify({ ...service, metadata });
      // As the garbage collector, of which Belay is not asked.
      succeeds(
        await plane.kubectl([
          'delete',
          'service',
          'web',
          '-n',
          namespace,
          '--as=system:kube-controller-manager',
          '--as-group=system:masters',
        ]),
      );
      isDenied(
        await untouched(plane, namespace, () => kubectl(['create', '-f', '-'], { input })),
        'BelayDrift',
        /creation of Service web/,
      );
      succeeds(await run('upgrade', 'web', SHOP));
      assert.equal(await historyOf(plane, namespace, 'web'), 'v1 superseded, v2 deployed');
      await read('service/web');
    });

    test('what belongs to running a service goes on', async () => {
      succeeds(await kubectl(['rollout', 'restart', 'deployment/web']));
      succeeds(await kubectl(['label', 'deployment', 'web', 'team=shop']));
      succeeds(await kubectl(['annotate', 'deployment', 'web', 'note=hello']));
      succeeds(await kubectl(['patch', 'configmap', 'web', ...merge({ data: { GREETING: 'hello' } })]));
    });

    test('an object that only claims to belong to a release is everybody’s', async () => {
      const stray = (name: string, release: string, value: string, releaseNamespace = namespace): CommandOptions => ({
        input: JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: {
            name,
            labels: { [MANAGED_BY]: 'Helm' },
            annotations: { [RELEASE_NAME]: release, [RELEASE_NAMESPACE]: releaseNamespace },
          },
          data: { value },
        }),
      });
      for (const release of ['web', 'nowhere']) {
        succeeds(await kubectl(['apply', '-f', '-'], stray(`stray-${release}`, release, 'a')));
        succeeds(await kubectl(['apply', '-f', '-'], stray(`stray-${release}`, release, 'b')));
        succeeds(await kubectl(['delete', 'configmap', `stray-${release}`]));
      }
      // Another namespace's object of the same name is none of this release's.
      const elsewhere = kubectlIn(`${namespace}-2`);
      await makeNamespace(plane, `${namespace}-2`, { editors: ['dev'] });
      succeeds(await elsewhere(['apply', '-f', '-'], stray('web', 'web', 'a')));
      succeeds(await elsewhere(['apply', '-f', '-'], stray('web', 'web', 'b')));
      succeeds(await elsewhere(['delete', 'configmap', 'web']));
      // And one that is governed is not set free by claiming to be another's.
      isDenied(
        await untouched(plane, namespace, () => kubectl(['apply', '-f', '-'], stray('web', 'nowhere', 'a'))),
        'BelayDrift',
      );
    });
  });
}

/** Records: kept as Secrets, and as ConfigMaps. */
for (const [kind, helm] of [
  ['secret', 'helm3'],
  ['configmap', 'helm4'],
] as const) {
  describe(`the records of a release, as ${kind}s, by ${helm}`, () => {
    const namespace = `records-${kind}`;
    const kubectl = kubectlIn(namespace);
    const options = () => ({ as: users.ci, env: { HELM_DRIVER: kind } });
    const run = (...args: readonly string[]): Promise<CommandResult> =>
      plane[helm]([...args, '-n', namespace], options());
    const name = (revision: number, release = 'web'): string => `sh.helm.release.v1.${release}.v${revision}`;
    const resource = `${kind}s`;
    const collection = `/api/v1/namespaces/${namespace}/${resource}?labelSelector=owner%3Dhelm`;
    const refused = async (
      code: DenialCode,
      args: readonly string[],
      more: CommandOptions = {},
      ...says: readonly RegExp[]
    ): Promise<void> => {
      isDenied(await untouched(plane, namespace, () => kubectl(args, more)), code, ...says);
    };
    const withPayload = (release: string, edit: (payload: Payload) => void): string => {
      if (kind === 'secret') return editPayload(release, edit);
      const twice = Buffer.from(release).toString('base64');
      return Buffer.from(editPayload(twice, edit), 'base64').toString();
    };
    /** A stored record under another name, with these labels and this payload: what a forger would write. */
    const forged = async (
      as: { readonly name: string; readonly labels?: Readonly<Record<string, string>>; readonly metadata?: object },
      edit: (payload: Payload) => void = () => undefined,
      from = name(2),
    ): Promise<CommandOptions> => {
      const stored = await readRecord(plane, namespace, from, kind);
      return {
        input: JSON.stringify({
          ...stored,
          metadata: { name: as.name, labels: { ...stored.metadata?.labels, ...as.labels }, ...as.metadata },
          data: { release: withPayload(stored.data.release, edit) },
        }),
      };
    };
    /** A patch of a stored record's label `status` and of its payload. */
    const moved = async (record: string, status: string): Promise<readonly string[]> => {
      const stored = await readRecord(plane, namespace, record, kind);
      const release = withPayload(stored.data.release, (payload) => {
        payload.info.status = status;
      });
      return ['patch', kind, record, ...merge({ metadata: { labels: { status } }, data: { release } })];
    };

    before(async () => {
      await makeNamespace(plane, namespace, { editors: ['ci', 'dev'] });
      succeeds(await run('install', 'web', SHOP));
      succeeds(await run('upgrade', 'web', SHOP, '--set', 'greeting=two'));
      succeeds(await run('install', 'other', SHOP));
    });

    test('all labels at once', () =>
      refused('BelayRecordProtected', ['patch', kind, name(2), ...merge({ metadata: { labels: null } })]));

    test('the status hack that people use as a lock is refused, and they are told of the freeze', async () => {
      const says = /belay\.dev\/freeze/;
      await refused(
        'BelayRecordProtected',
        ['label', kind, name(2), '--overwrite', 'status=pending-upgrade'],
        {},
        says,
      );
      for (const status of ['pending-upgrade', 'pending-install', 'pending-rollback'])
        await refused('BelayRecordProtected', await moved(name(2), status), {}, says);
    });

    test('a delete of the newest revision, one by one and as a collection', async () => {
      await refused('BelayRecordProtected', ['delete', kind, name(2)]);
      await refused('BelayRecordProtected', ['delete', kind, name(2), '--force', '--grace-period=0']);
      await refused('BelayRecordProtected', ['delete', kind, '-l', 'owner=helm,name=other']);
      await refused('BelayRecordProtected', ['delete', '--raw', `${collection}%2Cname%3Dother`]);
      await refused('BelayRecordProtected', ['delete', kind, name(2), '--dry-run=server']);
    });

    test('what has the name of the next record alone is not stored, so that Helm can store that record', async () => {
      const says = /but not the label owner=helm, and Helm could not store that revision any more/;
      for (const labels of [{}, { owner: 'me' }, { owner: 'nobody', version: '3', status: 'pending-upgrade' }]) {
        const named = kind === 'secret' ? 'Secret' : 'ConfigMap';
        const input = JSON.stringify({ apiVersion: 'v1', kind: named, metadata: { name: name(3), labels } });
        isDenied(await kubectl(['create', '-f', '-'], { input }), 'BelayRecordProtected', says);
      }
    });

    test('a dry run of a start claims nothing', async () => {
      const start = await forged({ name: name(3), labels: { version: '3', status: 'pending-upgrade' } }, (payload) => {
        payload.version = 3;
        payload.info.status = 'pending-upgrade';
      });
      succeeds(await untouched(plane, namespace, () => kubectl(['create', '--dry-run=server', '-f', '-'], start)));
      succeeds(await untouched(plane, namespace, () => run('upgrade', 'web', SHOP, '--dry-run=server')));
    });

    describe('while somebody else’s upgrade is in flight', () => {
      let upgrade: Background;

      before(async () => {
        upgrade = inBackground(
          plane,
          helm,
          ['upgrade', 'web', SHOP, '-n', namespace, '--set', 'hooks.preUpgradeDelay=1s'],
          options(),
        );
        await waitForHook(plane, namespace, 'web-migrate');
        assert.equal((await revisionsOf(plane, namespace, 'web', kind)).at(-1)?.status, 'pending-upgrade');
      });
      after(() => upgrade?.kill());

      test('it is not completed by another', async () => {
        for (const status of ['deployed', 'failed', 'superseded'])
          await refused('BelayOperationInFlight', await moved(name(3), status), {}, /by ci/);
        // Nor by the administrator, nor in the name of another.
        const complete = [...(await moved(name(3), 'deployed')), '-n', namespace];
        for (const as of [[], ['--as=dev']]) {
          const attempt = () => plane.kubectl([...complete, ...as]);
          isDenied(await untouched(plane, namespace, attempt), 'BelayOperationInFlight');
        }
        await refused('BelayRecordProtected', await moved(name(3), 'pending-rollback'));
        await refused('BelayOperationInFlight', await moved(name(3), 'uninstalling'));
      });

      test('its record, the deployed one and all records stay', async () => {
        await refused('BelayOperationInFlight', ['delete', kind, name(3)]);
        await refused('BelayRecordProtected', ['delete', kind, name(2)]);
        await refused(
          'BelayRecordProtected',
          await moved(name(2), 'superseded').then(() => ['label', kind, name(2), '--overwrite', 'status=superseded']),
        );
        await refused('BelayOperationInFlight', await moved(name(2), 'superseded'));
        const result = await kubectl(['delete', '--raw', `${collection}%2Cname%3Dweb%2Cversion+in+%282%2C3%29`]);
        assert.notEqual(result.code, 0);
        assert.match(result.stderr, /\[Belay(OperationInFlight|RecordProtected)\]/);
        const statuses = (await revisionsOf(plane, namespace, 'web', kind)).map(({ status }) => status);
        assert.deepEqual(statuses.slice(-2), ['deployed', 'pending-upgrade']);
      });

      test('the claim is Belay’s alone', async () => {
        const lease = ['lease', 'belay.web'];
        const claim = (patch: unknown) => ['patch', ...lease, ...merge(patch)];
        const guarded = (args: readonly string[], more: CommandOptions = {}) =>
          refused('BelayClaimGuarded', args, more);
        await guarded(['delete', ...lease]);
        await guarded(['delete', ...lease, '--cascade=foreground']);
        await guarded([
          'delete',
          '--raw',
          `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases?fieldSelector=metadata.name%3Dbelay.web`,
        ]);
        await guarded(['label', ...lease, 'belay.dev/claim-']);
        await guarded(['label', ...lease, '--overwrite', 'belay.dev/claim=false']);
        await guarded(['annotate', ...lease, '--overwrite', 'belay.dev/revision=1']);
        await guarded(['annotate', ...lease, 'belay.dev/operation-']);
        await guarded(claim({ spec: { holderIdentity: 'dev' } }));
        await guarded(claim({ spec: { renewTime: '2030-01-01T00:00:00.000000Z' } }));
        await guarded(claim({ spec: { acquireTime: '2030-01-01T00:00:00.000000Z' } }));
        await guarded(claim({ metadata: { finalizers: ['evil.dev/stays'] } }));
        await guarded(['create', '-f', '-'], {
          input: JSON.stringify({
            apiVersion: 'coordination.k8s.io/v1',
            kind: 'Lease',
            metadata: { name: 'belay.next', labels: { 'belay.dev/claim': 'true' } },
            spec: { holderIdentity: 'dev' },
          }),
        });
        // Its holder may renew it, and nothing else.
        const asCi = { as: users.ci };
        succeeds(await kubectl(claim({ spec: { renewTime: new Date().toISOString().replace('Z', '000Z') } }), asCi));
        await guarded(claim({ spec: { holderIdentity: 'dev' } }), asCi);
        await guarded(['delete', ...lease], asCi);
      });
    });
  });
}

describe('a Lease of the claim’s name that somebody made before Belay was there', () => {
  const namespace = 'leases';
  const kubectl = kubectlIn(namespace);
  // Belay is not asked about the API server's own writes, as about those from before it was installed.
  const unasked = (args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
    plane.kubectl([...args, '-n', namespace, '--as=system:apiserver', '--as-group=system:masters'], options);
  const lease = (name: string, metadata: object = {}): CommandOptions => ({
    input: JSON.stringify({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, ...metadata },
      spec: { holderIdentity: 'dev', leaseDurationSeconds: 3600, renewTime: '2030-01-01T00:00:00.000000Z' },
    }),
  });
  const holderOf = async (name: string): Promise<unknown> => {
    const found = await plane.api.read(`lease/${name}`, { namespace });
    return [(found.spec as { holderIdentity: string }).holderIdentity, found.metadata?.labels?.['belay.dev/claim']];
  };
  before(() => makeNamespace(plane, namespace, { editors: ['ci', 'dev'] }));

  test('is made, written and deleted by nobody any more', async () => {
    isDenied(await kubectl(['create', '-f', '-'], lease('belay.mine')), 'BelayClaimGuarded');
    succeeds(await unasked(['create', '-f', '-'], lease('belay.mine')));
    isDenied(
      await kubectl(['patch', 'lease', 'belay.mine', ...merge({ spec: { holderIdentity: 'me' } })]),
      'BelayClaimGuarded',
    );
    isDenied(await kubectl(['delete', 'lease', 'belay.mine']), 'BelayClaimGuarded');
  });

  test('neither keeps the release from being installed nor keeps its holder', async () => {
    succeeds(await unasked(['create', '-f', '-'], lease('belay.early')));
    succeeds(await plane.helm4(['install', 'early', SHOP, '-n', namespace], { as: users.ci }));
    assert.deepEqual(await holderOf('belay.early'), ['ci', 'true']);
  });

  test('and is waiting to be deleted, does not take the claim with it', async () => {
    const doomed = lease('belay.doomed', { finalizers: ['evil.dev/stays'] });
    succeeds(await unasked(['create', '-f', '-'], doomed));
    succeeds(await unasked(['delete', 'lease', 'belay.doomed', '--wait=false']));
    succeeds(await plane.helm4(['install', 'doomed', SHOP, '-n', namespace], { as: users.ci }));
    assert.deepEqual(await holderOf('belay.doomed'), ['ci', 'true']);
  });

  test('with an owner that does not exist, is not collected with the claim in it', async () => {
    const ownerReferences = [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid: '00000000-0000-0000-0000-000000000000' },
    ];
    const owned = await unasked(['create', '-f', '-'], lease('belay.owned', { ownerReferences }));
    succeeds(owned);
    succeeds(await plane.helm4(['install', 'owned', SHOP, '-n', namespace], { as: users.ci }));
    assert.deepEqual(await holderOf('belay.owned'), ['ci', 'true']);
    assert.ok((await stateOf(plane, namespace)).length > 0);
  });
});
