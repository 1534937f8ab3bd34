import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, ApiError, createApi } from '../../src/kubernetes/api.ts';
import { connect } from '../../src/kubernetes/connection.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { HELMS, makeNamespace, SHOP, succeeds } from './support/asking.ts';
import { forgedRecord } from './support/forged-record.ts';

/**
 * Three replicas, and everybody at once. The judge is the watch history of the records: at every resourceVersion at most one
 * of them may be pending or uninstalling.
 */

const REPLICAS = 3;
const OPERATIONS = 200;
/** How many have to come through for the crowd to prove something; it goes on beyond OPERATIONS until they have. */
const COMPLETED = 30;
const MOST_OPERATIONS = 2_000;
/** Helm processes at a time: on two cores more of them only wait for each other. */
const WORKERS = 12;

let plane: ControlPlane;
let api: Api;

before(async () => {
  plane = await startControlPlane({ quiet: true, belay: { replicas: REPLICAS } });
  api = createApi(connect(plane.adminKubeconfig, Date.now));
});
after(() => plane?.stop());

interface RecordObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels: Record<string, string>;
  };
}

/** Follows a namespace's records from now on; `stop` gives back the most that were ever in flight at once, and when. */
const followRecords = async (namespace: string) => {
  const path = `/api/v1/namespaces/${namespace}/secrets`;
  const labelSelector = 'owner=helm';
  const list = await api.request<{ metadata: { resourceVersion: string } }>({ path, query: { labelSelector } });
  const controller = new AbortController();
  const inFlight = new Map<string, string>();
  const recent: string[] = [];
  let most: readonly string[] = [];
  let seen = 0;
  let newest = '';
  const follow = async (): Promise<void> => {
    let resourceVersion = list.metadata.resourceVersion;
    while (!controller.signal.aborted) {
      const query = { labelSelector, resourceVersion };
      for await (const event of api.watch({ path, query, signal: controller.signal })) {
        const { metadata } = event.object as unknown as RecordObject;
        assert.notEqual(event.type, 'ERROR', 'the watch history has a hole');
        resourceVersion = metadata.resourceVersion;
        newest = metadata.name;
        seen += 1;
        const status = metadata.labels.status ?? '';
        const isUnfinished = status.startsWith('pending-') || status === 'uninstalling';
        if (event.type !== 'DELETED' && isUnfinished) inFlight.set(metadata.name, status);
        else inFlight.delete(metadata.name);
        recent.push(`@${resourceVersion} ${event.type} ${metadata.name} ${status}`);
        // What led to it is all that helps when this fails.
        if (inFlight.size > most.length) most = inFlight.size > 1 ? recent.slice(-12) : [...inFlight.keys()];
      }
    }
  };
  const following = follow().catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  return {
    newest: () => newest,
    stop: async () => {
      controller.abort();
      await following;
      return { most, seen };
    },
  };
};

test(`of at least ${OPERATIONS} installs, upgrades, rollbacks and uninstalls of one release, one is in flight at any time`, async () => {
  const namespace = 'crowd';
  const users = ['ann', 'bob', 'cat', 'dan'];
  await makeNamespace(plane, namespace, { editors: users });
  const kubeconfigs = await Promise.all(users.map((user) => plane.user(user)));
  const history = await followRecords(namespace);

  const commands = [
    ['upgrade', '--install', 'web', SHOP, '--set', 'greeting=a'],
    ['rollback', 'web'],
    ['install', 'web', SHOP],
    ['upgrade', 'web', SHOP, '--set', 'greeting=b'],
    ['uninstall', 'web'],
    ['upgrade', '--install', 'web', SHOP, '--set', 'image=nginx:1.29'],
  ];
  let next = 0;
  let done = 0;
  const refused = new Map<string, number>();
  const work = async (worker: number): Promise<void> => {
    const isProof = (): boolean => done >= COMPLETED && refused.has('BelayOperationInFlight');
    for (let turn = next++; turn < OPERATIONS || (!isProof() && turn < MOST_OPERATIONS); turn = next++) {
      const helm = HELMS[turn % 2] ?? 'helm4';
      const as = kubeconfigs[worker % kubeconfigs.length] ?? plane.adminKubeconfig;
      const command = commands[(turn + worker) % commands.length] ?? [];
      const result = await plane[helm]([...command, '-n', namespace], { as });
      if (result.code === 0) done += 1;
      else {
        const code = /\[(Belay\w+)\]/.exec(result.stderr)?.[1] ?? 'by Helm';
        refused.set(code, (refused.get(code) ?? 0) + 1);
      }
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
  await sleep(200); // lets the watch catch up with the last write
  const { most, seen } = await history.stop();

  assert.ok(done >= COMPLETED, `of ${next} operations only ${done} came through: ${JSON.stringify([...refused])}`);
  assert.ok((refused.get('BelayOperationInFlight') ?? 0) > 0, `nobody was refused: ${JSON.stringify([...refused])}`);
  // Each begins with one write of a record and ends with another.
  assert.ok(seen >= 2 * done, `${done} operations came through, but only ${seen} writes of records were seen`);
  assert.ok(most.length <= 1, `in flight at once:\n${most.join('\n')}`);
});

let uninstallsSent = 0;
const record = (revision: number, status: string): object =>
  forgedRecord('burst', 'web', revision, status, {
    deleted: status === 'uninstalling' ? `2026-11-21T12:00:00.${uninstallsSent++}Z` : '',
  });

/** Every fourth of the starts. */
const isUninstall = (index: number): boolean => index % 4 === 3;

/** From three replicas down to two, by killing one while the starts are under way. */
const ROUNDS = [
  { what: 'three replicas' },
  { what: 'three replicas again' },
  { what: 'three replicas, one of which is killed midway', killing: 1 },
  { what: 'the two that are left' },
  { what: 'the two that are left, again' },
] as const;

for (const { what, ...round } of ROUNDS) {
  test(`of ${OPERATIONS} starts sent in the same instant through ${what}, exactly one is admitted`, async () => {
    await makeNamespace(plane, 'burst', {});
    const path = '/api/v1/namespaces/burst/secrets';
    await api.request({ method: 'POST', path, body: record(1, 'deployed') });
    const history = await followRecords('burst');
    // Names differ, so that nothing but Belay stands between them: upgrades and rollbacks to v2, v3, ... and uninstalls of v1.
    const uninstall = `${path}/sh.helm.release.v1.web.v1`;
    const starts = Array.from({ length: OPERATIONS }, (_, index) =>
      isUninstall(index)
        ? api.request({ method: 'PUT', path: uninstall, body: record(1, 'uninstalling') })
        : api.request({
            method: 'POST',
            path,
            body: record(index + 2, index % 2 ? 'pending-rollback' : 'pending-upgrade'),
          }),
    );
    const settling = Promise.allSettled(starts);
    const killing = 'killing' in round;
    if (killing) await plane.belay.replicas[round.killing]?.kill('SIGKILL');
    const outcomes = await settling;
    for (const outcome of outcomes) {
      // A replica that dies takes its answers with it: those writes fail as well (failurePolicy Fail), but never pass.
      if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof ApiError && outcome.reason.status >= 400);
    }
    await sleep(200); // lets the watch catch up with the last write
    const { most } = await history.stop();
    assert.ok(most.length <= 1, `in flight at once:\n${most.join('\n')}`);
    const passed = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? index : []));
    const uninstalls = passed.filter(isUninstall);
    // The holder of an uninstall may ask for it again, as after a hook that failed: all of these are one operation.
    const admitted = passed.length - uninstalls.length + Math.min(uninstalls.length, 1);
    if (killing) assert.ok(admitted <= 1, `${admitted} were admitted`);
    else assert.equal(admitted, 1);
    succeeds(await plane.kubectl(['delete', 'namespace', 'burst', '--timeout=60s']));
  });
}
