import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FORGED_NAMESPACE, forgeRelease, pathOfForged } from '../bench/forged-releases.ts';
import { type ApiClient, createApiClient } from './harness/api-client.ts';
import { type BelayReplica, type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';
import { createNamespace } from './support/asking.ts';
import { applyPolicy } from './support/policies.ts';
import { leaderOf, metricsOf } from './support/sweeping.ts';

/**
 * The replica that sweeps dies, or is held up, in the middle of its pass. Many releases, so that the middle lasts: at a hundred requests a
 * second and some ten for each, a pass takes more than ten seconds.
 */

const RELEASES = 150;
const NAMES = Array.from({ length: RELEASES }, (_, index) => `web-${index}`);
const MISSING = NAMES.filter((_, index) => index % 3 === 0);
const ADDED = NAMES.filter((_, index) => index % 4 === 0);
const MERGE = 'application/merge-patch+json';
const TAKEN_OVER = { timeoutMs: 240_000 };

let plane: ControlPlane;
let client: ApiClient;

const patch = (kind: string, name: string, body: object) =>
  client.send('PATCH', `${pathOfForged(kind, name)}?fieldManager=somebody`, body, MERGE);

const drift = async (): Promise<void> => {
  for (const name of NAMES) await patch('ConfigMap', name, { data: { GREETING: 'other' } });
  for (const name of MISSING) await client.send('DELETE', pathOfForged('Service', name));
  for (const name of ADDED) await patch('Secret', name, { data: { more: 'eA==' } });
};

before(async () => {
  plane = await startControlPlane({ quiet: true, helm: [] });
  client = createApiClient(plane.adminKubeconfig);
  await createNamespace(plane, FORGED_NAMESPACE);
  for (const name of NAMES) await forgeRelease(client, name);
  await drift();
});
after(async () => {
  client?.close();
  await plane?.stop();
});

const foundBy = async (replica: BelayReplica) => {
  const samples = await metricsOf(replica);
  const of = (problem: string) => samples.get(`belay_drifted_objects_all{drift="${problem}"}`) ?? 0;
  return {
    changed: of('changed'),
    missing: of('missing'),
    added: of('added'),
    leading: samples.get('belay_sweep_leading'),
  };
};

const EVERYTHING = { changed: RELEASES, missing: MISSING.length, added: ADDED.length, leading: 1 };

const finds = (replica: BelayReplica, expected: typeof EVERYTHING): Promise<unknown> => {
  let last: unknown;
  return waitUntil(
    'the sweep has found everything',
    async () => {
      last = await foundBy(replica);
      return JSON.stringify(last) === JSON.stringify(expected) || undefined;
    },
    TAKEN_OVER,
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: ${JSON.stringify(last)}`, { cause: error });
  });
};

const otherThan = (replica: BelayReplica): BelayReplica => {
  const [other] = plane.belay.replicas.filter((candidate) => candidate !== replica);
  assert.ok(other);
  return other;
};

type Versions = ReadonlyMap<string, string>;

const versionsOf = async (resource: string): Promise<Versions> => {
  const { body } = await client.send('GET', `/api/v1/namespaces/${FORGED_NAMESPACE}/${resource}`);
  const { items } = body as { items: readonly { metadata: { name: string; resourceVersion: string } }[] };
  return new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
};

/** How often each object of a kind has been written since. */
const countWrites = async (resource: string) => {
  const columns = 'jsonpath={.metadata.name}{"\\n"}';
  const args = ['get', resource, '-n', FORGED_NAMESPACE, '--watch-only', '-o', columns];
  const child = plane.spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.on('data', (data: Buffer) => (text += data.toString()));
  // A watch begins some time after its program: what shows that it has is a write that is nobody's drift.
  let marks = 0;
  await waitUntil(`the watch of ${resource} has begun`, async () => {
    const path = `/api/v1/namespaces/${FORGED_NAMESPACE}/${resource}`;
    const body = { metadata: { name: 'mark' }, ...(resource === 'services' && { spec: { ports: [{ port: 80 }] } }) };
    if (marks === 0) await client.send('POST', path, body);
    marks += 1;
    await client.send('PATCH', `${path}/mark`, { metadata: { annotations: { mark: String(marks) } } }, MERGE);
    return text.includes('mark\n') || undefined;
  });
  await client.send('DELETE', `/api/v1/namespaces/${FORGED_NAMESPACE}/${resource}/mark`);
  return {
    of: (): ReadonlyMap<string, number> => {
      const names = text.split('\n').filter((name) => name.startsWith('web-'));
      return new Map([...Map.groupBy(names, (name) => name)].map(([name, writes]) => [name, writes.length]));
    },
    stop: () => child.kill(),
  };
};

const once = (names: readonly string[]): ReadonlyMap<string, number> => new Map(names.map((name) => [name, 1]));
const sorted = (counts: ReadonlyMap<string, number>) => [...counts].sort(([a], [b]) => (a < b ? -1 : 1));

/** Resolves when somebody has done part of the work, with how much. */
const inTheMiddle = (done: () => Promise<number> | number): Promise<number> =>
  waitUntil(
    'the pass is under way',
    async () => {
      const part = await done();
      return part >= 5 ? part : undefined;
    },
    TAKEN_OVER,
  );

const setRepair = (action: 'Apply' | 'Off'): Promise<void> =>
  applyPolicy(plane, 'repair', {
    match: { releases: ['web-*'] },
    drift: { action: 'Audit', repair: { action, interval: '1h' } },
  });

test('killed while it finds: another goes on, and finds everything that there is', async () => {
  const before = await versionsOf('configmaps');
  await plane.installBelay({ replicas: 2, overlay: 'repair' });
  const first = await leaderOf(plane);
  const found = async () => {
    const { changed, missing, added } = await foundBy(first);
    return changed + missing + added;
  };
  const part = await inTheMiddle(found);
  await first.kill('SIGKILL');
  assert.ok(part < EVERYTHING.changed + EVERYTHING.missing + EVERYTHING.added, `${part} were found already`);
  const second = await leaderOf(plane, [first]);
  assert.equal(second, otherThan(first));
  await finds(second, EVERYTHING);
  // To find is not to change.
  assert.deepEqual(await versionsOf('configmaps'), before);
  await first.restart();
});

test('killed while it repairs: another goes on, and each object is written once', async () => {
  const [configMaps, services, secrets] = await Promise.all(['configmaps', 'services', 'secrets'].map(countWrites));
  assert.ok(configMaps && services && secrets);
  try {
    const first = await leaderOf(plane);
    const applied = setRepair('Apply');
    await inTheMiddle(() => configMaps.of().size);
    await first.kill('SIGKILL');
    assert.ok(configMaps.of().size < RELEASES, 'everything was repaired already');
    await applied;
    const second = await leaderOf(plane, [first]);
    await finds(second, { changed: 0, missing: 0, added: ADDED.length, leading: 1 });
    assert.deepEqual(sorted(configMaps.of()), sorted(once(NAMES)));
    assert.deepEqual(sorted(services.of()), sorted(once(MISSING)));
    assert.deepEqual(sorted(secrets.of()), []);
    for (const name of NAMES) {
      const { body } = await client.send('GET', pathOfForged('ConfigMap', name));
      assert.deepEqual((body as { data: object }).data, { GREETING: 'hello' });
    }
    await first.restart();
  } finally {
    for (const watch of [configMaps, services, secrets]) watch.stop();
  }
});

test('held up while it repairs: when it comes back it knows that another leads, and writes nothing more', async () => {
  const configMaps = await countWrites('configmaps');
  try {
    await setRepair('Off');
    const leader = await leaderOf(plane);
    const other = otherThan(leader);
    await drift();
    const twice = () => [...configMaps.of().values()].filter((writes) => writes > 1).length;
    assert.equal(twice(), 0);
    const applied = setRepair('Apply');
    await inTheMiddle(twice);
    process.kill(leader.pid, 'SIGSTOP');
    assert.ok(twice() < RELEASES, 'everything was repaired already');
    try {
      const all = { changed: 0, missing: 0, added: ADDED.length, leading: 1 };
      await Promise.all([applied, finds(other, all)]);
    } finally {
      process.kill(leader.pid, 'SIGCONT');
    }
    await waitUntil('it leads no longer', async () => (await foundBy(leader)).leading === 0 || undefined, TAKEN_OVER);
    // Once by whoever changed it, and once by whoever set it back.
    assert.deepEqual(sorted(configMaps.of()), sorted(new Map(NAMES.map((name) => [name, 2]))));
    assert.equal((await foundBy(other)).leading, 1);
  } finally {
    configMaps.stop();
  }
});
