import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CommandResult, ControlPlane } from './harness/control-plane.ts';
import { startControlPlane } from './harness/control-plane.ts';
import { turnService, waitForReviews } from './harness/install-belay.ts';
import { waitUntil } from './harness/wait-until.ts';
import { createNamespace, fails, HELMS, type Helm, historyOf, isDenied, SHOP, succeeds } from './support/asking.ts';
import { applyPolicy, deletePolicy } from './support/policies.ts';

/** Belay as a release of Helm's: whatever becomes of Belay, its own release can be installed, changed and taken away. */

const CHART = join(import.meta.dirname, '../../manifests/chart');

/** One is where the manifests put Belay, the other is not: what names the namespace has to follow. */
const NAMESPACES = { helm3: 'belay-system', helm4: 'release-guard' } as const satisfies Record<Helm, string>;

const CONFIGURATIONS = ['validatingwebhookconfiguration', 'mutatingwebhookconfiguration'] as const;

/** No Pod ever runs here: short, but long enough to write every object. */
const GIVE_UP = ['--wait', '--timeout=5s'];

for (const helm of HELMS) {
  const namespace = NAMESPACES[helm];
  const other: Helm = helm === 'helm3' ? 'helm4' : 'helm3';

  describe(`${helm}, in ${namespace}`, () => {
    let plane: ControlPlane;

    before(async () => {
      plane = await startControlPlane({ quiet: true });
      await createNamespace(plane, 'shop');
    });
    after(() => plane?.stop());

    const run = (args: readonly string[], by: Helm = helm): Promise<CommandResult> =>
      plane[by]([...args, '--namespace', namespace]);
    const upgrade = (values: readonly string[], chart = CHART): Promise<CommandResult> =>
      run(['upgrade', 'belay', chart, ...values.flatMap((value) => ['--set-json', value])]);
    const kubectl = (...args: string[]): Promise<CommandResult> => plane.kubectl(args);

    /** What Belay writes into what Helm made, and when it was written last. */
    const written = async (): Promise<readonly string[]> => {
      const bundles = await Promise.all(
        CONFIGURATIONS.map((kind) => plane.api.field(`${kind}/belay`, '.webhooks[*].clientConfig.caBundle')),
      );
      return [...bundles, await plane.api.field('secret/belay-certificates', '.data', { namespace })];
    };

    /** Everything of Belay's in the cluster, of whatever kind but Events, the Namespace and what the API server makes of a CRD. */
    const leftOver = async (): Promise<readonly string[]> => {
      const kinds = succeeds(await kubectl('api-resources', '--verbs=list', '-o=name'))
        .split('\n')
        .filter((kind) => kind !== '' && !/^(events|namespaces|apiservices)\b/.test(kind));
      const found = succeeds(await kubectl('get', kinds.join(','), '-A', '-o=json'));
      const { items } = JSON.parse(found) as {
        items: readonly { kind: string; metadata: { name: string; labels?: Readonly<Record<string, string>> } }[];
      };
      return items
        .filter(
          ({ metadata: { name, labels = {} } }) =>
            labels['app.kubernetes.io/name'] === 'belay' || 'belay.dev/claim' in labels || /(^|\.)belay\b/.test(name),
        )
        .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
        .sort();
    };

    const isGuarded = async (): Promise<void> => {
      isDenied(await kubectl('delete', 'configmap', 'web', '-n', 'shop'), 'BelayDrift');
    };

    const CRD = 'CustomResourceDefinition/releasepolicies.belay.dev';

    test('without a namespace it is not installed, and says what to add', async () => {
      fails(await plane[helm](['install', 'belay', CHART]), /--namespace belay-system --create-namespace/);
      // Helm brings the kinds before it renders.
      assert.deepEqual(await leftOver(), [CRD]);
    });

    test('a value that there is not is refused by its name', async () => {
      fails(await run(['install', 'belay', CHART, '--set', 'replcas=3', '--create-namespace']), /replcas/);
      fails(await run(['install', 'belay', CHART, '--set', 'drift.repair=true', '--create-namespace']), /sweep/);
    });

    test('an install that fails and is taken back leaves nothing but the kind of policies', async () => {
      const takeBack = helm === 'helm3' ? '--atomic' : '--rollback-on-failure';
      fails(
        await run(['install', 'belay', CHART, '--create-namespace', takeBack, ...GIVE_UP]),
        /timed out|deadline|not ready/i,
      );
      await waitUntil('nothing is left', async () => (await leftOver()).join() === CRD || undefined);
    });

    test('an install that fails stops other releases, but not its own second try', async () => {
      const policies = 'policies={"default":{"drift":{"ignore":[]}}}';
      const install = ['install', 'belay', CHART, '--set-json', policies];
      fails(await run([...install, ...GIVE_UP]), /timed out|deadline|not ready/i);
      fails(await plane[helm](['install', 'web', SHOP, '-n', 'shop']), /failed calling webhook/);
      succeeds(await run(['upgrade', '--install', ...install.slice(1)]));
      assert.match(await historyOf(plane, namespace, 'belay'), /^v1 (failed|superseded), v2 deployed$/);
      await plane.api.read('releasepolicy/default');
    });

    test('Belay starts, and refuses what it should', async () => {
      await plane.installBelay({ namespace, install: async () => {} });
      succeeds(await plane[helm](['install', 'web', SHOP, '-n', 'shop']));
      await isGuarded();
      await applyPolicy(plane, 'kept', { priority: 1, match: { releases: ['nothing'] } });
      const [validating, mutating, secret] = await written();
      assert.ok(validating && mutating && secret?.includes('ca.key'));
    });

    test('while Belay is down an upgrade passes and takes neither the caBundle nor the certificates away', async () => {
      await plane.belay.stop();
      const before = await written();
      succeeds(await upgrade(['podLabels={"a":"1"}', 'failurePolicies.namespaceDeletes="Fail"']));
      assert.deepEqual(await written(), before);
      succeeds(await run(['rollback', 'belay']));
      assert.deepEqual(await written(), before);
      const spec = '-o=jsonpath={.webhooks[?(@.name=="namespace-deletes.belay.dev")].failurePolicy}';
      assert.equal(succeeds(await kubectl('get', CONFIGURATIONS[0], 'belay', spec)), 'Ignore');
      await plane.belay.start();
      await waitForReviews(plane.api);
      await isGuarded();
    });

    test('everything is frozen, and Belay can be upgraded still', async () => {
      await applyPolicy(plane, 'frozen', { priority: 9, freeze: { reason: 'black friday' } });
      succeeds(await kubectl('annotate', 'secret', '-n', namespace, '-l', 'owner=helm', 'belay.dev/freeze=why'));
      fails(await plane[helm](['upgrade', 'web', SHOP, '-n', 'shop']), /\[BelayFrozen\]/);
      // ClusterRoles are in no namespace that a selector could leave out.
      succeeds(await upgrade(['roles.aggregate=false', 'podLabels={"a":"2"}']));
      succeeds(await run(['rollback', 'belay']));
      await deletePolicy(plane, 'frozen');
    });

    test('objects fail closed, Belay is down, and it can be upgraded still', async () => {
      const foreign = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: {
          name: 'foreign',
          labels: { 'app.kubernetes.io/managed-by': 'Helm' },
          annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'shop' },
        },
      };
      succeeds(await plane.kubectl(['create', '-f', '-'], { input: JSON.stringify(foreign) }));
      const strict = ['-f', join(CHART, 'values/strict.yaml')];
      succeeds(await run(['upgrade', 'belay', CHART, ...strict]));
      await plane.belay.stop();
      const noAnswer = /failed calling webhook "objects\.belay\.dev"/;
      await waitUntil('the API server has closed', async () => {
        const { stderr } = await kubectl('label', 'clusterrole', 'foreign', 'a=b', '--dry-run=server');
        return noAnswer.test(stderr) || undefined;
      });
      // To pass it off as Belay's does not help.
      const note = `meta.helm.sh/release-namespace=${namespace}`;
      fails(await kubectl('annotate', 'clusterrole', 'foreign', note, '--overwrite'), noAnswer);
      succeeds(await run(['upgrade', 'belay', CHART, ...strict, '--set', 'roles.aggregate=false']));
      succeeds(await run(['rollback', 'belay']));
    });

    test('taken out of the way in an emergency, an upgrade brings it back', async () => {
      succeeds(await kubectl('delete', CONFIGURATIONS.join(','), 'belay'));
      await waitUntil('other releases go on', async () => {
        const { code } = await plane[helm](['upgrade', 'web', SHOP, '-n', 'shop']);
        return code === 0 || undefined;
      });
      succeeds(await upgrade([]));
      await plane.belay.start();
      await waitForReviews(plane.api);
      await isGuarded();
    });

    test('an upgrade by force takes the caBundle and the certificates away, and Belay puts others there', async () => {
      const [, , before] = await written();
      const force = helm === 'helm3' ? ['--force'] : ['--force-replace', '--server-side=false'];
      succeeds(await run(['upgrade', 'belay', CHART, ...force]));
      await turnService(plane.kubectl, plane.address, namespace);
      await waitForReviews(plane.api);
      await isGuarded();
      const [, , after] = await written();
      assert.ok(after !== before && after?.includes('ca.key'));
    });

    test('the kind of policies is brought up to date by the command that the chart names, and policies stay', async () => {
      const path = '.spec.versions[0].additionalPrinterColumns[*].name';
      const columns = () => plane.api.field('crd/releasepolicies.belay.dev', path);
      const now = await columns();
      const older = JSON.stringify([{ op: 'remove', path: '/spec/versions/0/additionalPrinterColumns/0' }]);
      succeeds(await kubectl('patch', 'crd', 'releasepolicies.belay.dev', '--type=json', '-p', older));
      succeeds(await upgrade([]));
      assert.notEqual(await columns(), now, 'Helm itself leaves it as it is');
      const notes = await readFile(join(CHART, 'templates/NOTES.txt'), 'utf8');
      const [, show = '', apply = ''] = /^ *helm (show crds) CHART \| kubectl (apply .+)$/m.exec(notes) ?? [];
      const input = succeeds(await plane[helm]([...show.split(' '), CHART]));
      succeeds(await plane.kubectl(apply.split(' '), { input }));
      assert.equal(await columns(), now);
      await plane.api.read('releasepolicy/kept');
    });

    test('a version with one webhook more, and back to the one before', async () => {
      const chart = join(plane.dir, 'next-version');
      await cp(CHART, chart, { recursive: true });
      const file = join(chart, 'templates/validating-webhooks.yaml');
      const text = await readFile(file, 'utf8');
      const [, policies = ''] = /( {2}- name: policies\.belay\.dev[\s\S]+)$/.exec(text) ?? [];
      const shipped = text.match(/^ {2}- name: /gm)?.length ?? 0;
      await writeFile(file, `${text}\n${policies.replace('policies.belay.dev', 'more.belay.dev')}`);
      succeeds(await upgrade([], chart));
      await waitUntil('the new webhook has its caBundle', async () => {
        const [bundles = ''] = await written();
        return bundles.split(' ').length === shipped + 1 || undefined;
      });
      succeeds(await run(['rollback', 'belay']));
      const names = await plane.api.field(`${CONFIGURATIONS[0]}/belay`, '.webhooks[*].name');
      assert.ok(!names.includes('more.belay.dev'), names);
      await waitForReviews(plane.api);
    });

    test(`the release goes over to ${other}, and back`, async () => {
      await plane.belay.stop();
      const before = await written();
      for (const by of [other, helm]) {
        // Helm 4 goes on as the release was written before, unless told.
        const serverSide = by === 'helm4' ? ['--server-side=true'] : [];
        succeeds(await run(['upgrade', 'belay', CHART, '--set', `podLabels.by=${by}`, ...serverSide], by));
        assert.deepEqual(await written(), before);
      }
      await plane.belay.start();
      await waitForReviews(plane.api);
      await isGuarded();
    });

    test('uninstalled while it runs, it is gone, and a Belay that still runs makes nothing anew', async () => {
      const [replica] = plane.belay.replicas;
      succeeds(await run(['uninstall', 'belay']));
      await waitUntil(
        'Belay has tried to make its Secret anew',
        async () => (await readFile(replica?.log ?? '', 'utf8')).includes('could not be put in order') || undefined,
      );
      await plane.belay.stop();
      assert.deepEqual(await leftOver(), [CRD, 'Lease/belay.web']);
      // What people wrote stays; what the release brought is gone.
      const policies = await plane.api.list('releasepolicy');
      assert.deepEqual(
        policies.map(({ metadata }) => metadata?.name),
        ['kept'],
      );
      succeeds(await plane[helm](['upgrade', 'web', SHOP, '-n', 'shop']));
    });

    test('the commands that the chart names take the rest away', async () => {
      const notes = await readFile(join(CHART, 'templates/NOTES.txt'), 'utf8');
      const commands = [...notes.matchAll(/^ +kubectl (delete (?:leases|crd)[^#\n]+)/gm)];
      assert.equal(commands.length, 2);
      for (const [, command = ''] of commands) succeeds(await kubectl(...command.trim().split(/\s+/)));
      await waitUntil('nothing is left', async () => (await leftOver()).length === 0 || undefined);
    });

    test('installed anew and closed, with no Belay ever, it is uninstalled without a trace', async () => {
      const strict = ['-f', join(CHART, 'values/strict.yaml'), '-f', join(CHART, 'values/drift.yaml')];
      succeeds(await run(['install', 'belay', CHART, ...strict]));
      await turnService(plane.kubectl, plane.address, namespace);
      await waitUntil('the API server has closed', async () => {
        const { stderr } = await kubectl('label', 'clusterrole', 'foreign', 'a=b', '--dry-run=server');
        return stderr.includes('failed calling webhook') || undefined;
      });
      succeeds(await run(['uninstall', 'belay']));
      assert.deepEqual(await leftOver(), [CRD]);
    });
  });
}
