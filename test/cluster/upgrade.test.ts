import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type Api, createApi, isNotFound } from '../../src/kubernetes/api.ts';
import { connect } from '../../src/kubernetes/connection.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import { succeeds } from './support/asking.ts';
import { askReplica, type Decision } from './support/review-replica.ts';
import { casesOf, configMapOf, NAMESPACE, type ReviewCase, releasesAt, USERS } from './support/upgrade-reviews.ts';

/**
 * A cluster as 0.1.0 left it, and this build on top of it. It has to read all of it, and to decide as 0.1.0 did; what was decided then is checked in.
 * `BELAY_RECORD=1` records anew, which is a decision for a person. With `BELAY_OLD_BUNDLE=<dist/belay.js of another build>` that one runs beside
 * this build, and both have to say the same.
 */

const RECORDED = join(import.meta.dirname, '..', 'upgrade', '0.1.0');
const oldBundle = process.env.BELAY_OLD_BUNDLE;

let plane: ControlPlane;
let api: Api;

const create = async (objects: readonly object[]): Promise<void> => {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  succeeds(await plane.kubectl(['create', '-f', '-'], { input: JSON.stringify(list) }));
};

const EDITOR = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'locker', namespace: NAMESPACE },
    rules: [{ apiGroups: ['belay.dev'], resources: ['releases'], verbs: ['lock'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'locker', namespace: NAMESPACE },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'locker' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'dev' }],
  },
];

before(async () => {
  if (oldBundle !== undefined) assert.ok(existsSync(oldBundle), `BELAY_OLD_BUNDLE: there is no ${oldBundle}`);
  plane = await startControlPlane({ quiet: true, controllers: false, helm: [] });
  api = createApi(connect(plane.adminKubeconfig, Date.now));
  succeeds(await plane.kubectl(['apply', '-f', join(RECORDED, 'release-policy-crd.yaml')]));
  succeeds(await plane.kubectl(['wait', '--for=condition=Established', 'crd/releasepolicies.belay.dev']));
  const documents = parseAllDocuments(await readFile(join(RECORDED, 'stored.yaml'), 'utf8'));
  const stored = documents.map((document) => document.toJS() as KubernetesObject & { status?: object });
  await create([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    ...EDITOR,
    ...Object.entries(releasesAt(Date.now())).flatMap(([release, records]) => [...records, configMapOf(release)]),
    ...stored,
  ]);
  for (const { kind, metadata, status } of stored) {
    if (status === undefined) continue;
    const patch = `--patch=${JSON.stringify({ status })}`;
    succeeds(
      await plane.kubectl(['patch', kind ?? '', metadata?.name ?? '', '--subresource=status', '--type=merge', patch]),
    );
  }
  await plane.installBelay({
    replicas: 2,
    // Nothing is to count as stale by the time that this takes.
    staleAfter: '10h',
    ...(oldBundle !== undefined && { launchOf: (replica) => (replica === 0 ? { bundle: oldBundle } : {}) }),
  });
});
after(() => plane?.stop());

const read = (path: string): Promise<KubernetesObject | undefined> =>
  api.request<KubernetesObject>({ path }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });

const casesStored = async (): Promise<readonly ReviewCase[]> => {
  const core = `/api/v1/namespaces/${NAMESPACE}`;
  const found = await Promise.all(
    Object.entries(releasesAt(Date.now())).map(async ([release, records]) => {
      const stored = await Promise.all(records.map(({ metadata }) => read(`${core}/secrets/${metadata?.name}`)));
      const configMap = await read(`${core}/configmaps/${release}`);
      const lease = await read(`/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/belay.${release}`);
      assert.ok(configMap);
      return casesOf(
        release,
        stored.filter((record) => record !== undefined),
        configMap,
        lease,
      ).map((one) => ({
        ...one,
        what: `${release}: ${one.what}`,
      }));
    }),
  );
  return found.flat();
};

const ASKED_AT_ONCE = 4;

/** By what was written, and by whom. */
const decide = async (replica: number, cases: readonly ReviewCase[]): Promise<Readonly<Record<string, Decision>>> => {
  const belay = plane.belay.replicas[replica];
  assert.ok(belay);
  const decided: Record<string, Decision> = {};
  const left = [...cases];
  const ask = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await askAbout(next);
  };
  const askAbout = async ({ what, path, request }: ReviewCase): Promise<void> => {
    const answers = await Promise.all(
      Object.entries(USERS).map(
        async ([user, userInfo]) => [user, await askReplica(belay, path, { ...request, userInfo })] as const,
      ),
    );
    for (const [user, decision] of answers) decided[`${what}, by ${user}`] = decision;
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, ask));
  return decided;
};

test('it decides as 0.1.0 did, of everything that 0.1.0 left in the cluster', async () => {
  await waitUntil('the policies are in force', async () => {
    return (await plane.api.field('releasepolicy/warned', '.status.observedGeneration')) || undefined;
  });
  const file = join(RECORDED, 'decisions.json');
  const decided = await decide(1, await casesStored());
  const text = `{\n${Object.entries(decided)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, decision]) => `${JSON.stringify(what)}: ${JSON.stringify(decision)}`)
    .join(',\n')}\n}\n`;
  if (process.env.BELAY_RECORD) await writeFile(file, text);
  const recorded = JSON.parse(await readFile(file, 'utf8')) as Record<string, Decision>;
  for (const [what, decision] of Object.entries(recorded)) assert.deepEqual(decided[what], decision, what);
  assert.deepEqual(Object.keys(decided).sort(), Object.keys(recorded).sort());
});

test(`${oldBundle ?? 'another replica of this build'} decides the same beside it`, async () => {
  const cases = await casesStored();
  assert.deepEqual(await decide(0, cases), await decide(1, cases));
});

test('what makes up a decision is in the record: passes, refusals of every rule, waived ones, patches', async () => {
  const decisions = Object.values(
    JSON.parse(await readFile(join(RECORDED, 'decisions.json'), 'utf8')) as Record<string, Decision>,
  );
  const codes = new Set(decisions.map(({ code }) => code));
  for (const code of [
    ...['BelayOperationInFlight', 'BelayFrozen', 'BelayPinned', 'BelayDowngrade', 'BelayDrift'],
    ...['BelayRecordProtected', 'BelayBadLock', 'BelayLockForbidden', 'BelayClaimGuarded'],
  ])
    assert.ok(codes.has(code), code);
  assert.equal(codes.has('BelayUnavailable'), false);
  assert.ok(decisions.some(({ allowed }) => allowed));
  assert.ok(decisions.some(({ waived }) => waived !== undefined));
  assert.ok(decisions.some(({ patch }) => patch !== undefined));
});
