import assert from 'node:assert/strict';
import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import { HELMS, isDenied, makeNamespace, SHOP, succeeds } from './support/asking.ts';
import { applyPolicy, deletePolicy } from './support/policies.ts';
import { leaderOf, metricsOf } from './support/sweeping.ts';

/**
 * What is taken away - a record, a release with objects that are to be kept, a policy, Belay itself - takes no object with it, and changes
 * none. Under the policy that lets Belay do the most: it repairs, and prunes.
 */

const PROJECT = join(import.meta.dirname, '../..');

const MORE = `
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-kept
  annotations: {helm.sh/resource-policy: keep}
data: {mode: kept}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
stringData: {password: correct horse}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "{{ .Release.Namespace }}-{{ .Release.Name }}"}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
`;

const POLICY = { drift: { action: 'Audit', repair: { action: 'Apply', prune: true, interval: '1m' } } };

/** Behind Belay's back, as one of Kubernetes' own controllers, of which it is not asked. */
const CONTROLLER = ['--as=system:kube-controller-manager', '--as-group=system:masters'];

let plane: ControlPlane;
let chart: string;

before(async () => {
  plane = await startControlPlane({ quiet: true, belay: { overlay: 'repair' } });
  await plane.user('dev');
  chart = join(plane.dir, 'keeping-shop');
  await cp(SHOP, chart, { recursive: true });
  await appendFile(join(chart, 'templates', 'web.yaml'), MORE);
  await applyPolicy(plane, 'all', POLICY);
});
after(() => plane?.stop());

/** Tells of what happens, and are not what the cluster is made of. */
const NOISE = /^(events(\.events\.k8s\.io)?|leases\.coordination\.k8s\.io)$/;

/** Whatever there is: each object by kind and name, with the uid and the resourceVersion that any write would change. */
const everythingIn = async (namespaces: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  const resources = succeeds(await plane.kubectl(['api-resources', '--verbs=list', '-o', 'name']))
    .trim()
    .split('\n')
    .filter((name) => !NOISE.test(name));
  const objects = await plane.api.list(resources.join(','));
  const isTheirs = ({ metadata }: KubernetesObject): boolean =>
    namespaces.some((namespace) => metadata?.namespace === namespace || metadata?.name?.startsWith(`${namespace}-`));
  return new Map(
    objects
      .filter(isTheirs)
      .map(({ kind, metadata = {} }) => [
        `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
        `${metadata.uid} ${metadata.resourceVersion}`,
      ]),
  );
};

/** The same once the controllers have come to rest. */
const settled = async (namespaces: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  let last: ReadonlyMap<string, string> = new Map();
  return waitUntil(
    'nothing changes any more',
    async () => {
      const now = await everythingIn(namespaces);
      const isSame = JSON.stringify([...now]) === JSON.stringify([...last]);
      last = now;
      return isSame ? now : undefined;
    },
    { timeoutMs: 120_000 },
  );
};

let priority = 0;

/** With another policy everything is due. */
const beginAgain = async (): Promise<void> => {
  priority += 1;
  await applyPolicy(plane, 'all', { ...POLICY, priority });
};

/** Resolves when the sweep has gone through all releases once more. */
const sweepAgain = async (releases: number): Promise<void> => {
  const leader = await leaderOf(plane);
  const looked = async () => {
    const samples = await metricsOf(leader);
    const names = [...samples.keys()].filter((name) => name.startsWith('belay_sweep_releases_total'));
    return names.reduce((sum, name) => sum + (samples.get(name) ?? 0), 0);
  };
  const before = await looked();
  await beginAgain();
  await waitUntil('the sweep has looked', async () => (await looked()) >= before + releases || undefined, {
    timeoutMs: 120_000,
  });
};
const without = (objects: ReadonlyMap<string, string>, isGone: (key: string) => boolean) =>
  [...objects].filter(([key]) => !isGone(key));

for (const helm of HELMS) {
  describe(`with ${helm}`, () => {
    const namespace = `bereft-${helm}`;
    const kubectl = (...args: readonly string[]) => plane.kubectl([...args, '-n', namespace]);

    before(async () => {
      await makeNamespace(plane, namespace, { admins: ['dev'] });
      for (const release of ['web', 'api']) succeeds(await plane[helm](['install', release, chart, '-n', namespace]));
      await sweepAgain(2);
    });

    test('the record of a release: its objects stay, and are nobody any more to set back', async () => {
      isDenied(await kubectl('delete', 'secret', 'sh.helm.release.v1.web.v1'), 'BelayRecordProtected');
      const before = await settled([namespace]);
      succeeds(await kubectl('delete', 'secret', 'sh.helm.release.v1.web.v1', ...CONTROLLER));
      await sweepAgain(1);
      const gone = (key: string) => key === `Secret ${namespace}/sh.helm.release.v1.web.v1`;
      assert.deepEqual([...(await settled([namespace]))], without(before, gone));
      const patch = ['--type=merge', '-p', '{"data":{"GREETING":"mine","MORE":"x"}}'];
      succeeds(await kubectl('patch', 'configmap/web', ...patch));
      succeeds(await kubectl('delete', 'service/web'));
      const changed = await settled([namespace]);
      await sweepAgain(1);
      assert.deepEqual([...(await settled([namespace]))], [...changed]);
    });

    test('a release with objects that are to be kept: those stay as they are', async () => {
      const before = await settled([namespace]);
      const gone = new Set([
        ...['ConfigMap', 'Secret', 'Service', 'Deployment', 'EndpointSlice', 'Endpoints'],
        ...['ReplicaSet', 'Pod'],
      ]);
      succeeds(await plane[helm](['uninstall', 'api', '-n', namespace]));
      await waitUntil('the Pods are gone', async () => {
        const pods = await plane.api.list('pods,replicasets', { namespace, labels: 'app=api' });
        return pods.length === 0 || undefined;
      });
      // There is no release left, so that it is the other namespaces' that it goes through.
      await beginAgain();
      const isGone = (key: string): boolean => {
        const [kind = '', name = ''] = key.split(' ');
        if (name === `${namespace}/api-kept`) return false;
        return (
          (gone.has(kind) && /\/(api(-.*)?|sh\.helm\.release\.v1\.api\.v1)$/.test(name)) ||
          key === `ClusterRole /${namespace}-api`
        );
      };
      const after = await settled([namespace]);
      assert.deepEqual([...after], without(before, isGone));
      assert.ok(after.has(`ConfigMap ${namespace}/api-kept`));
      assert.ok(!after.has(`Deployment ${namespace}/api`));
    });
  });
}

describe('Belay', () => {
  const namespace = 'left-behind';

  before(async () => {
    await makeNamespace(plane, namespace, { admins: ['dev'] });
    for (const helm of HELMS) succeeds(await plane[helm](['install', helm, chart, '-n', namespace]));
    const record = ['secret', '-n', namespace, '-l', 'owner=helm'];
    succeeds(await plane.kubectl(['annotate', ...record, 'belay.dev/pin=1.4.x']));
    await sweepAgain(HELMS.length);
  });

  const compare = async (what: () => Promise<unknown>): Promise<void> => {
    const before = await settled([namespace]);
    assert.ok(before.size > 15, [...before.keys()].join('\n'));
    await what();
    assert.deepEqual([...(await settled([namespace]))], [...before]);
  };

  test('without its policy changes nothing', () =>
    compare(async () => {
      await deletePolicy(plane, 'all');
      await plane.belay.replicas[0]?.restart();
      const leader = await leaderOf(plane);
      await waitUntil('the sweep has looked', async () => {
        const samples = await metricsOf(leader);
        return (samples.get('belay_sweep_releases_total{outcome="checked"}') ?? 0) >= HELMS.length || undefined;
      });
    }));

  test('that dies changes nothing', () => compare(() => plane.belay.stop('SIGKILL')));

  test('that goes, as manifests/README.md has it, takes nothing with it but itself', async () => {
    await plane.belay.start();
    await compare(async () => {
      const configurations = 'validatingwebhookconfiguration,mutatingwebhookconfiguration';
      succeeds(await plane.kubectl(['delete', configurations, 'belay']));
      const manifests = join(PROJECT, 'manifests/overlays/repair');
      succeeds(await plane.kubectl(['delete', '-k', manifests, '--ignore-not-found', '--timeout=120s']));
      await plane.belay.stop();
      succeeds(await plane.kubectl(['delete', 'leases', '-A', '-l', 'belay.dev/claim=true']));
    });
    const left = await plane.api.list('clusterrole,crd,ns');
    for (const { metadata } of left) assert.doesNotMatch(metadata?.name ?? '', /belay/);
    for (const helm of HELMS)
      succeeds(await plane[helm](['upgrade', helm, chart, '-n', namespace, '--set', 'greeting=hi']));
  });
});
