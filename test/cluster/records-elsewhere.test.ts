import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DenialCode } from '../../src/rules/verdict.ts';
import { type CommandResult, type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import {
  editPayload,
  fails,
  HELMS,
  historyOf,
  isDenied,
  makeNamespace,
  type Payload,
  readRecord,
  SHOP,
  succeeds,
  untouched,
} from './support/asking.ts';
import { type HelmSdk, openHelmSdk, type Places } from './support/helm-sdk.ts';
import { nothingIsRefused } from './support/refusals.ts';

/**
 * Releases whose records are kept apart from their objects, as by Flux with spec.storageNamespace: Belay finds the records, guards the
 * objects by them, and lets the program that embeds Helm do its work.
 */

let plane: ControlPlane;
let sdk: HelmSdk;
let users: Record<'dev' | 'stranger' | 'ci', string>;

before(async () => {
  plane = await startControlPlane({ quiet: true, belay: {} });
  sdk = await openHelmSdk(plane);
  const [dev, stranger, ci] = await Promise.all(['dev', 'stranger', 'ci'].map((name) => plane.user(name)));
  assert.ok(dev && stranger && ci);
  users = { dev, stranger, ci };
  await makeNamespace(plane, 'strange', { editors: ['stranger'] });
});
after(() => plane?.stop());

/** A stored record under another name and in another namespace: what a forger would write. */
const forge = async (
  from: string,
  to: { readonly namespace: string; readonly name: string; readonly labels: Readonly<Record<string, string>> },
  edit: (payload: Payload) => void,
): Promise<string> => {
  const stored = await readRecord(plane, from, 'sh.helm.release.v1.web.v1');
  const labels = { ...stored.metadata?.labels, ...to.labels };
  return JSON.stringify({
    ...stored,
    metadata: { name: to.name, namespace: to.namespace, labels },
    data: { release: editPayload(stored.data.release, edit) },
  });
};

for (const helm of HELMS) {
  describe(`by the SDK of ${helm}`, () => {
    const places: Places = { storage: `flux-${helm}`, namespace: `apps-${helm}` };
    const { storage, namespace } = places;
    const account = `system:serviceaccount:${storage}:deployer`;
    let deployer: string;
    const run = (args: readonly string[], set?: string): Promise<CommandResult> =>
      sdk(helm, places, args, { as: deployer, ...(set !== undefined && { set }) });
    const kubectl = (args: readonly string[], as = users.dev, input?: string): Promise<CommandResult> =>
      plane.kubectl([...args, '-n', namespace], { as, ...(input !== undefined && { input }) });
    const refused = async (code: DenialCode, args: readonly string[], ...says: readonly RegExp[]): Promise<string> =>
      isDenied(await untouched(plane, namespace, () => kubectl(args)), code, ...says);
    const setImage = ['set', 'image', 'deployment/web', 'web=evil'];

    before(async () => {
      await makeNamespace(plane, storage, { editors: [account] });
      await makeNamespace(plane, namespace, { editors: [account, 'dev'] });
      succeeds(await plane.kubectl(['create', 'serviceaccount', 'deployer', '-n', storage]));
      deployer = await plane.serviceAccountKubeconfig(storage, 'deployer');
      await nothingIsRefused(plane, async () => {
        succeeds(await run(['install', 'web', SHOP]));
      });
    });

    test('the records are in one namespace, the objects in the other', async () => {
      assert.equal(await historyOf(plane, storage, 'web'), 'v1 deployed');
      assert.equal(await historyOf(plane, namespace, 'web'), '');
      const mark = '.metadata.annotations.meta\\.helm\\.sh/release-namespace';
      assert.equal(await plane.api.field('deployment/web', mark, { namespace }), namespace);
    });

    test('an edit of an object is refused, and the message says where the release is', async () => {
      const here = new RegExp(`-n ${storage} `);
      await refused('BelayDrift', setImage, /nginx:1\.27" -> "evil"/, here);
      await refused('BelayDrift', ['scale', 'deployment/web', '--replicas=9'], here);
      await refused('BelayDrift', ['patch', 'configmap', 'web', '--patch={"data":{"GREETING":"evil"}}'], here);
      await refused('BelayDrift', ['delete', 'service', 'web'], here);
      await refused('BelayDrift', ['annotate', 'service', 'web', 'meta.helm.sh/release-namespace-']);
      await refused('BelayDrift', [
        'annotate',
        'service',
        'web',
        '--overwrite',
        `meta.helm.sh/release-namespace=${storage}`,
      ]);
      succeeds(await kubectl(['rollout', 'restart', 'deployment/web']));
    });

    test('the first edit that a Belay sees after its start is refused like any other', async () => {
      const [replica] = plane.belay.replicas;
      assert.ok(replica);
      await replica.restart();
      await refused('BelayDrift', setImage);
    });

    test('a freeze on the record holds for the objects and for every operation', async () => {
      const record = ['secret', '-n', storage, '-l', 'owner=helm,name=web'];
      succeeds(await plane.kubectl(['annotate', ...record, 'belay.dev/freeze=closed for today']));
      try {
        await refused('BelayFrozen', setImage, /closed for today/, new RegExp(`-n ${storage}`));
        for (const args of [
          ['upgrade', 'web', SHOP],
          ['rollback', 'web', '1'],
        ])
          isDenied(await untouched(plane, namespace, () => run(args)), 'BelayFrozen', /closed for today/);
        // Helm goes on deleting after its `uninstalling` was refused.
        fails(await untouched(plane, namespace, () => run(['uninstall', 'web'])), /failed to delete release|denied/);
        assert.equal(await historyOf(plane, storage, 'web'), 'v1 deployed');
      } finally {
        succeeds(await plane.kubectl(['annotate', ...record, 'belay.dev/freeze-']));
      }
    });

    for (const [title, frozen] of [
      ['records', storage],
      ['objects', namespace],
    ] as const) {
      test(`a freeze on the Namespace of the ${title} holds as well`, async () => {
        succeeds(await plane.kubectl(['annotate', 'namespace', frozen, 'belay.dev/freeze=closed']));
        try {
          await refused('BelayFrozen', setImage, new RegExp(`annotate namespace ${frozen}`));
          const upgrade = () => run(['upgrade', 'web', SHOP], 'greeting=hello');
          isDenied(await untouched(plane, namespace, upgrade), 'BelayFrozen');
        } finally {
          succeeds(await plane.kubectl(['annotate', 'namespace', frozen, 'belay.dev/freeze-']));
        }
      });
    }

    test('upgrade and rollback run to their end, with objects that come and go', () =>
      nothingIsRefused(plane, async () => {
        succeeds(await run(['upgrade', 'web', SHOP], 'image=nginx:1.28,extraConfig.a=1'));
        succeeds(await run(['upgrade', 'web', SHOP], 'image=nginx:1.28,extraConfig.b=2'));
        succeeds(await run(['rollback', 'web', '1']));
        assert.equal(
          await historyOf(plane, storage, 'web'),
          'v1 superseded, v2 superseded, v3 superseded, v4 deployed',
        );
      }));

    test('releases of the same name with their records beside them are left alone, and leave it alone', async () => {
      const other = `other-${helm}`;
      await makeNamespace(plane, other, { editors: ['ci'] });
      const inOther = (args: readonly string[]) => plane[helm]([...args, '-n', other], { as: users.ci });
      await nothingIsRefused(plane, async () => {
        succeeds(await inOther(['install', 'web', SHOP]));
        succeeds(await inOther(['upgrade', 'web', SHOP, '--set', 'image=nginx:1.28']));
        succeeds(await run(['upgrade', 'web', SHOP], 'greeting=third'));
        succeeds(await inOther(['uninstall', 'web']));
      });
      await refused('BelayDrift', setImage);
    });

    test('whoever may not lock in a namespace stores no record that speaks for its objects', async () => {
      const input = await forge(
        storage,
        { namespace: 'strange', name: 'sh.helm.release.v1.web.v1', labels: { status: 'deployed' } },
        (payload) => {
          payload.info.status = 'deployed';
        },
      );
      const stored = await plane.kubectl(['create', '-f', '-'], { as: users.stranger, input });
      isDenied(stored, 'BelayRecordProtected', new RegExp(`${namespace}, where stranger may not lock`));
      assert.equal(await historyOf(plane, 'strange', 'web'), '');
    });

    test('a record forged beside the objects does not switch the guard off', async () => {
      const forgery = (revision: number, status: string): Promise<string> =>
        forge(
          storage,
          {
            namespace,
            name: `sh.helm.release.v1.web.v${revision}`,
            labels: { status, version: String(revision) },
          },
          (payload) => {
            payload.version = revision;
            payload.manifest = '';
            payload.info.status = status;
          },
        );
      succeeds(await kubectl(['create', '-f', '-'], users.dev, await forgery(1, 'deployed')));
      await refused('BelayDrift', setImage);
      await refused('BelayDrift', ['delete', 'service', 'web']);
      // Nor does an operation that the forger holds.
      succeeds(await kubectl(['create', '-f', '-'], users.dev, await forgery(2, 'pending-upgrade')));
      await refused('BelayDrift', setImage);
      await refused('BelayDrift', ['delete', 'service', 'web']);
      // And a freeze by the record that counts is not lifted by one that says nothing.
      const record = ['secret', '-n', storage, '-l', 'owner=helm,name=web'];
      succeeds(await plane.kubectl(['annotate', ...record, 'belay.dev/freeze=closed']));
      await refused('BelayFrozen', setImage);
      succeeds(await plane.kubectl(['annotate', ...record, 'belay.dev/freeze-']));
    });

    test('uninstall runs to its end', async () => {
      await nothingIsRefused(plane, async () => {
        succeeds(await run(['uninstall', 'web']));
      });
      assert.equal(await historyOf(plane, storage, 'web'), '');
      const labels = 'app.kubernetes.io/managed-by=Helm';
      assert.deepEqual(await plane.api.list('deployment,service,configmap', { namespace, labels }), []);
    });
  });
}
