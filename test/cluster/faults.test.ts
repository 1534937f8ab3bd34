import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BelayReplica, type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { type CuttingProxy, startCuttingProxy } from './harness/cutting-proxy.ts';
import { probe } from './harness/probe.ts';
import { waitUntil } from './harness/wait-until.ts';
import { SHOP, succeeds } from './support/asking.ts';
import { assertAllJudged, assertNoWrongDecision, type FaultReport, reportOf, tableOf } from './support/fault-report.ts';
import { forgedName, forgedRecord } from './support/forged-record.ts';
import { askReplica } from './support/review-replica.ts';
import { startWriteLoad, type Write } from './support/write-load.ts';

/**
 * Three replicas, 50 writes a second through the API server, and a fault. Each write has to be decided in one way, so that a decision which is
 * wrong shows. The results are printed as the table of docs/faults.md; times are reported, never asserted.
 */

const REPLICAS = 3;
const PER_SECOND = 45; // and one client that does one thing after another, about 5
/** Longer than the readiness probe takes to notice: two failures, 2 s apart. */
const DRAIN_SECONDS = 6;
const OUTAGE_MS = 20_000;
const HOUR_MS = 3_600_000;
const namespace = 'faults';

let plane: ControlPlane;
let users: Readonly<Record<'ci' | 'dev' | 'boss' | 'robot', string>>;
const proxies: CuttingProxy[] = [];
const reports: FaultReport[] = [];

const clockFile = (replica: number): string => join(plane.dir, `clock-${replica}`);
const path = (resource: string, name = ''): string =>
  `${resource === 'deployments' ? '/apis/apps/v1' : '/api/v1'}/namespaces/${namespace}/${resource}${name && `/${name}`}`;

const RULES = [
  { apiGroups: [''], resources: ['secrets', 'configmaps', 'services', 'serviceaccounts'], verbs: ['*'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'] },
];
const roleOf = (name: string, verbs: readonly string[], subjects: readonly object[]): readonly object[] => [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name, namespace },
    rules: [...RULES, { apiGroups: ['belay.dev'], resources: ['releases'], verbs }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects,
  },
];
const user = (name: string): object => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name });
const robot = { kind: 'ServiceAccount', namespace, name: 'robot' };

const create = async (as: string, objects: readonly object[]): Promise<void> => {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  succeeds(await plane.kubectl(['create', '-f', '-'], { as, input: JSON.stringify(list) }));
};
const annotate = async (release: string, ...annotations: readonly string[]): Promise<void> => {
  const args = ['annotate', 'secret', '-n', namespace, '-l', `owner=helm,name=${release}`, ...annotations];
  succeeds(await plane.kubectl(args, { as: users.boss }));
};

before(async () => {
  // docs/faults.md has the figures: they are those of Belay as it ships.
  const options = { quiet: true, controllers: false, intervals: 'shipped', helm: ['helm4'], auditLog: true } as const;
  plane = await startControlPlane(options);
  const apiServerPort = Number(new URL(plane.server).port);
  for (let replica = 0; replica < REPLICAS; replica += 1) {
    proxies.push(await startCuttingProxy(plane.address, apiServerPort));
    writeFileSync(clockFile(replica), '0');
  }
  await plane.installBelay({
    replicas: REPLICAS,
    drainSeconds: DRAIN_SECONDS,
    endpoints: 'kubelet',
    launchOf: (replica, kubeconfig) => {
      const own = join(plane.dir, `belay-${replica}.kubeconfig`);
      const server = `https://${plane.address}:${proxies[replica]?.port}`;
      writeFileSync(own, readFileSync(kubeconfig, 'utf8').replace(plane.server, server), { mode: 0o600 });
      const clock = new URL('./harness/wrong-clock.ts', import.meta.url);
      clock.searchParams.set('file', clockFile(replica));
      return { kubeconfig: own, nodeArgs: [`--import=${clock.href}`] };
    },
  });
  const admin = plane.adminKubeconfig;
  await create(admin, [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot', namespace } },
    ...roleOf('editor', ['lock'], [user('ci'), user('dev'), robot]),
    ...roleOf('keeper', ['lock', 'unlock', 'open', 'break'], [user('boss')]),
  ]);
  users = {
    ci: await plane.user('ci'),
    dev: await plane.user('dev'),
    boss: await plane.user('boss'),
    robot: await plane.serviceAccountKubeconfig(namespace, 'robot'),
  };
  for (const release of ['steady', 'ice', 'thaw', 'shut', 'free'])
    succeeds(await plane.helm4(['install', release, SHOP, '-n', namespace], { as: users.ci }));
  for (const release of ['busy', 'op']) await create(users.ci, [forgedRecord(namespace, release, 1, 'deployed')]);
  await create(users.ci, [forgedRecord(namespace, 'busy', 2, 'pending-upgrade')]);
  await annotate('ice', 'belay.dev/freeze=black friday');
  await annotate('thaw', 'belay.dev/freeze=audit', `belay.dev/freeze-until=${timeIn(HOUR_MS / 2)}`);
  await annotate('shut', 'belay.dev/open=a moment', `belay.dev/open-until=${timeIn(3_000)}`);
  await sleep(3_500);
});
after(async () => {
  console.log(tableOf(reports));
  await plane?.stop();
  await Promise.all(proxies.map((proxy) => proxy.close()));
});

const timeIn = (ms: number): string => `${new Date(Date.now() + ms).toISOString().slice(0, -5)}Z`;

/** Never one that is there already: what changes nothing passes, and has to. */
let drifts = 0;
const drift = (release: string) => ({
  method: 'PATCH' as const,
  path: path('configmaps', release),
  body: { data: { GREETING: `drift ${drifts++}` } },
});
const note = (turn: number): object => ({ metadata: { annotations: { note: String(turn) } } });
const start = (release: string, revision: number) => ({
  method: 'POST' as const,
  path: path('secrets'),
  body: forgedRecord(namespace, release, revision, 'pending-upgrade'),
});
const recordOf = (release: string): string => path('secrets', forgedName(release, 1));

/** Ten kinds of writes in turns. Half of them pass, half of them do not, and each for a reason of its own. */
const WRITES: readonly ((turn: number) => Write)[] = [
  (turn) => ({
    what: 'a controller’s annotation',
    as: users.robot,
    method: 'PATCH',
    path: path('deployments', 'steady'),
    body: note(turn),
  }),
  () => ({ what: 'drift', as: users.dev, ...drift('steady'), denied: 'BelayDrift' }),
  (turn) => ({
    what: 'a note on a record',
    as: users.dev,
    method: 'PATCH',
    path: recordOf('steady'),
    body: note(turn),
  }),
  () => ({
    what: 'an upgrade while another is in flight',
    as: users.dev,
    ...start('busy', 3),
    denied: 'BelayOperationInFlight',
  }),
  (turn) => ({
    what: 'a note on what a chart sets',
    as: users.dev,
    method: 'PATCH',
    path: path('configmaps', 'steady'),
    body: note(turn),
  }),
  () => ({ what: 'a change of what is frozen', as: users.dev, ...drift('thaw'), denied: 'BelayFrozen' }),
  (turn) => ({
    what: 'a lock and its end',
    as: users.boss,
    method: 'PATCH',
    path: recordOf('free'),
    body: { metadata: { annotations: { 'belay.dev/no-downgrade': turn % 20 < 10 ? 'true' : null } } },
  }),
  () => ({ what: 'an upgrade of what is frozen', as: users.ci, ...start('ice', 2), denied: 'BelayFrozen' }),
  () => ({
    what: 'drift after the window has closed',
    as: users.dev,
    ...drift('shut'),
    denied: 'BelayDrift',
  }),
  () => ({
    what: 'an end of a freeze by someone who may not',
    as: users.dev,
    method: 'PATCH',
    path: recordOf('ice'),
    body: { metadata: { annotations: { 'belay.dev/freeze': null } } },
    denied: 'BelayLockForbidden',
  }),
];

/** Upgrades of one release, one after the other: pending, superseded, deployed, pruned. */
const upgrades = (step: number): Write => {
  const revision = Math.floor(step / 4) + 2;
  const put = (number: number, status: string) => ({
    method: 'PUT' as const,
    path: path('secrets', forgedName('op', number)),
    body: forgedRecord(namespace, 'op', number, status),
  });
  const steps: readonly Write[] = [
    { what: 'the start of an upgrade', as: users.ci, ...start('op', revision) },
    { what: 'what was deployed before', as: users.ci, ...put(revision - 1, 'superseded') },
    { what: 'the end of an upgrade', as: users.ci, ...put(revision, 'deployed') },
    { what: 'history', as: users.ci, method: 'DELETE', path: path('secrets', forgedName('op', revision - 1)) },
  ];
  return steps[step % 4] as Write;
};
let nextStep = 0;

/** How many seconds of writes go before and after. */
const CALM_WRITES = 100;

/**
 * Writes, lets the fault happen, and goes on until everything goes as it has to again. The fault gives back when it was over. The two
 * judgements that hold for every fault are made here.
 */
const under = async (fault: string, happen: () => Promise<number>): Promise<FaultReport> => {
  const load = startWriteLoad(plane, {
    writes: WRITES,
    perSecond: PER_SECOND,
    sequence: upgrades,
    firstStep: nextStep,
  });
  let healedAtMs: number;
  try {
    await load.goWell(CALM_WRITES);
    healedAtMs = await happen();
    await load.goWell(CALM_WRITES);
    await isFresh();
  } catch (error) {
    await load.stop();
    throw error;
  }
  const done = await load.stop();
  nextStep = done.nextStep;
  const report = reportOf(fault, done.outcomes, healedAtMs);
  reports.push(report);
  console.log(tableOf([report]).split('\n').at(-1), report.said.join('\n  '));
  assertNoWrongDecision(report);
  return report;
};

const stalenessOf = async (replica: number): Promise<number> => {
  const url = plane.belay.replicas[replica]?.metricsUrl ?? '';
  const text = await (await fetch(url)).text();
  return Number(/^belay_index_staleness_seconds (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
};
const isReady = async (replica: number): Promise<boolean> =>
  (await probe(`${plane.belay.replicas[replica]?.url}/readyz`)) !== undefined;

const ALL = [0, 1, 2];
const readyReplicas = async (): Promise<readonly number[]> => {
  const ready = await Promise.all(ALL.map(isReady));
  return ALL.filter((replica) => ready[replica]);
};
const ANY_REVIEW = {
  uid: 'uid',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  resource: { group: '', version: 'v1', resource: 'pods' },
  name: 'any',
  namespace,
  operation: 'DELETE',
  userInfo: { username: 'dev', groups: [] },
  object: null,
  oldObject: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'any', namespace } },
};
/** Resolves when the clock that a replica writes its log by is off by so much, give or take ten minutes. */
const isOff = async (replica: number, byMs: number): Promise<void> => {
  await waitUntil(`the clock of replica ${replica} is off by ${byMs} ms`, async () => {
    await askReplica(replicaOf(replica), '/validate', ANY_REVIEW); // Something to write about.
    const line = (await readFile(replicaOf(replica).log, 'utf8')).trimEnd().split('\n').at(-1) ?? '';
    const { time = '' } = JSON.parse(line) as { time?: string };
    return Math.abs(Date.parse(time) - Date.now() - byMs) < HOUR_MS / 6 || undefined;
  });
};

/** A kept connection outlives its endpoint by the one review after which Belay closes it; a record's takes 10 s at most. */
const LAST_OF_A_CONNECTION_MS = 10_000;

const reviewsOf = async (replica: number): Promise<number> => {
  const text = await (await fetch(replicaOf(replica).metricsUrl)).text();
  return [...text.matchAll(/^belay_reviews_total\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
};
/** The API server keeps its connections, and asks through few of them: the one that it asks most in two seconds. */
const mostAsked = async (): Promise<number> => {
  const before = await Promise.all(ALL.map(reviewsOf));
  await sleep(2_000);
  const after = await Promise.all(ALL.map(reviewsOf));
  const counts = after.map((count, replica) => count - (before[replica] ?? 0));
  return counts.indexOf(Math.max(...counts));
};

const isReconnect = (line: string, sinceMs: number): boolean => {
  const { msg, time } = line.startsWith('{')
    ? (JSON.parse(line) as { msg?: string; time: string })
    : { msg: '', time: '' };
  const given = [
    'the API server does not answer: reconnecting',
    'a request was not answered: going on with new connections',
  ];
  return given.includes(msg ?? '') && Date.parse(time) >= sinceMs;
};

const isFresh = async (): Promise<void> => {
  for (const replica of ALL) {
    if (!replicaOf(replica).running) continue;
    await waitUntil(
      `replica ${replica} is fresh, and ready`,
      async () => ((await stalenessOf(replica)) === 0 && (await isReady(replica))) || undefined,
      { timeoutMs: 120_000 },
    );
  }
};

/** When the address in front of Belay ceased, or began, to send connections to a replica after some moment. */
const endpointIs = (replica: number, state: 'in' | 'out', sinceMs: number): Promise<number> => {
  const { port } = new URL(plane.belay.replicas[replica]?.url ?? '');
  return waitUntil(
    `replica ${replica} is ${state}`,
    async () => {
      const lines = (await readFile(plane.belay.spreaderLog, 'utf8')).trim().split('\n');
      const found = lines
        .map((line) => line.split(' '))
        .find(([ms, of, to]) => Number(ms) >= sinceMs && of === port && to === state);
      return found === undefined ? undefined : Number(found[0]);
    },
    { timeoutMs: 120_000 },
  );
};

const [first, second] = [0, 1];
const replicaOf = (replica: number): BelayReplica => {
  const found = plane.belay.replicas[replica];
  if (found === undefined) throw new Error(`there is no replica ${replica}`);
  return found;
};
const proxyOf = (replica: number): CuttingProxy => {
  const found = proxies[replica];
  if (found === undefined) throw new Error(`there is no proxy ${replica}`);
  return found;
};

test('a rolling restart loses no write, and lets none slip through', async () => {
  const report = await under('rolling restart', async () => {
    for (const [index, replica] of plane.belay.replicas.entries()) {
      const startedMs = Date.now();
      await replica.restart();
      await endpointIs(index, 'in', startedMs);
    }
    return Date.now();
  });
  assertAllJudged(report);
});

test('kill -9 of a replica costs no more than what was sent to it before its endpoint went', async () => {
  let goneAtMs = 0;
  const report = await under('kill -9 of one', async () => {
    const killedAtMs = Date.now();
    await replicaOf(first).kill('SIGKILL');
    goneAtMs = await endpointIs(first, 'out', killedAtMs);
    return killedAtMs;
  });
  assert.deepEqual(
    report.unjudged.filter(({ startedMs }) => startedMs > goneAtMs),
    [],
  );
  await replicaOf(first).restart();
});

test('an API server that restarts finds Belay as it left it', async () => {
  await under('API server killed and restarted', async () => {
    await plane.interrupt('kube-apiserver');
    return Date.now();
  });
  assert.deepEqual(await readyReplicas(), ALL);
});

test('etcd that is killed and comes back after 20 s', async () => {
  await under('etcd killed, back after 20 s', async () => {
    await plane.interrupt('etcd', { meanwhile: () => sleep(OUTAGE_MS) });
    return Date.now();
  });
  assert.deepEqual(await readyReplicas(), ALL);
});

test('etcd that hangs for 20 s', async () => {
  await under('etcd hanging for 20 s', async () => {
    const etcd = plane.processes.find(({ name }) => name === 'etcd');
    assert.ok(etcd);
    process.kill(etcd.pid, 'SIGSTOP');
    await sleep(OUTAGE_MS);
    process.kill(etcd.pid, 'SIGCONT');
    return Date.now();
  });
  assert.deepEqual(await readyReplicas(), ALL);
});

test('watches that are cut again and again are resumed, and nothing is missed', async () => {
  const report = await under('all connections to the API server cut 10 times', async () => {
    for (let time = 0; time < 10; time += 1) {
      for (const proxy of proxies) proxy.cut();
      await sleep(500);
    }
    return Date.now();
  });
  assert.equal(report.counts.away, 0, report.said.join('\n'));
});

test('a replica whose connections die without a word gives them up', async () => {
  await under('connections of one replica dead without a word', async () => {
    const asked = await mostAsked();
    const deadAtMs = Date.now();
    proxyOf(asked).deaden();
    await waitUntil(
      'it reconnects',
      async () =>
        (await readFile(replicaOf(asked).log, 'utf8')).split('\n').some((line) => isReconnect(line, deadAtMs)) ||
        undefined,
      { timeoutMs: 180_000 },
    );
    return deadAtMs;
  });
});

test('a replica that the API server asks and does not answer leaves the endpoints, and comes back', async () => {
  let outAtMs = 0;
  const report = await under('one replica severed from the API server', async () => {
    const asked = await mostAsked();
    const severedAtMs = Date.now();
    proxyOf(asked).sever();
    try {
      outAtMs = await endpointIs(asked, 'out', severedAtMs);
      assert.deepEqual(
        await readyReplicas(),
        ALL.filter((replica) => replica !== asked),
      );
    } finally {
      proxyOf(asked).mend();
    }
    await endpointIs(asked, 'in', outAtMs);
    return severedAtMs;
  });
  assert.deepEqual(
    report.unjudged.filter(({ startedMs }) => startedMs > outAtMs + LAST_OF_A_CONNECTION_MS),
    [],
  );
});

for (const [what, hours] of [
  ['ahead', 1],
  ['behind', -1],
] as const) {
  test(`the clocks of two replicas are stepped to be an hour ${what}: one while it runs, one before it starts`, async () => {
    const report = await under(`clocks of two replicas an hour ${what}`, async () => {
      const steppedAtMs = Date.now();
      for (const replica of [first, second]) writeFileSync(clockFile(replica), String(hours * HOUR_MS));
      await replicaOf(second).restart();
      await endpointIs(second, 'in', steppedAtMs);
      // The log has the time of the machine.
      for (const replica of [first, second]) await isOff(replica, hours * HOUR_MS);
      return Date.now();
    });
    assertAllJudged(report);
    for (const replica of [first, second]) writeFileSync(clockFile(replica), '0');
    for (const replica of [first, second]) await isOff(replica, 0);
  });
}

// Of a release that no drift has passed in: with Helm 4 that is a conflict, Belay or not.
test('after all that, Helm goes on', async () => {
  succeeds(await plane.helm4(['upgrade', 'free', SHOP, '-n', namespace], { as: users.ci }));
  succeeds(await plane.helm4(['rollback', 'free', '1', '-n', namespace], { as: users.ci }));
});
