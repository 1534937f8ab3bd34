import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { POOL_SOCKET } from './harness/borrow-cluster.ts';
import { type ClusterPool, startClusterPool } from './harness/cluster-pool.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { waitUntil } from './harness/wait-until.ts';

/** Files of tests have a cluster one after the other: what the first of them has done may help or hinder none of the others. */

const outer = process.env[POOL_SOCKET];
let pool: ClusterPool;
before(async () => {
  pool = await startClusterPool();
  process.env[POOL_SOCKET] = pool.socketPath;
});
after(async () => {
  if (outer === undefined) delete process.env[POOL_SOCKET];
  else process.env[POOL_SOCKET] = outer;
  await pool?.close();
});

const start = (): Promise<ControlPlane> => startControlPlane({ quiet: true, helm: ['helm4'] });

/** Names of all that a user can see, but for what Kubernetes renews by itself. */
const everythingIn = async ({ kubectl }: ControlPlane): Promise<readonly string[]> => {
  const kinds = await kubectl(['api-resources', '--verbs=list', '-o', 'name']);
  const read = kinds.stdout
    .trim()
    .split('\n')
    .filter((kind) => !/^(events|leases|componentstatuses)\b/.test(kind));
  const { stdout } = await kubectl(['get', read.join(','), '-A', '-o', 'json', '--ignore-not-found']);
  const { items } = JSON.parse(stdout) as {
    items: readonly { kind: string; metadata: { namespace?: string; name: string; labels?: object } }[];
  };
  return items
    .map(
      ({ kind, metadata: { namespace = '', name, labels = {} } }) =>
        `${kind} ${namespace}/${name} ${JSON.stringify(labels)}`,
    )
    .sort();
};

test('a cluster that a file has given back is as new for the next one', async () => {
  const first = await start();
  const asNew = await everythingIn(first);
  const must = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await first.kubectl(args);
    assert.equal(code, 0, stderr);
  };
  await first.installBelay();
  await must('create', 'namespace', 'left');
  await must('create', 'deployment', 'web', '--image=web', '--replicas=3', '-n', 'left');
  const pods = () => first.api.list('pod', { namespace: 'left' });
  await waitUntil('the controllers have made Pods', async () => (await pods()).length === 3 || undefined);
  await must('create', 'configmap', 'stuck', '-n', 'left');
  await must('patch', 'configmap', 'stuck', '-n', 'left', '-p', '{"metadata":{"finalizers":["example.com/never"]}}');
  await must('delete', 'namespace', 'left', '--wait=false');
  await must('label', 'clusterrole', 'edit', 'example.com/changed=yes');
  await must('delete', 'clusterrole', 'system:discovery');
  await must('create', 'secret', 'generic', 'in-default', '--from-literal=a=b');
  const { server, dir } = first;
  await first.stop();

  const second = await start();
  try {
    assert.equal(second.server, server, 'it is the same cluster');
    assert.notEqual(second.dir, dir, 'and the files are not the same');
    assert.deepEqual(await everythingIn(second), asNew);
    await second.installBelay();
    const { code, stderr } = await second.kubectl(['create', 'namespace', 'left']);
    assert.equal(code, 0, stderr);
  } finally {
    await second.stop();
  }
});

test('two that run at the same time have two clusters', async () => {
  const [one, other] = await Promise.all([start(), start()]);
  try {
    assert.notEqual(one.server, other.server);
  } finally {
    await Promise.all([one.stop(), other.stop()]);
  }
});

test('a lent cluster is not interrupted, since it would be interrupted for others', async () => {
  const plane = await start();
  try {
    await assert.rejects(plane.interrupt('etcd'), /ownCluster/);
  } finally {
    await plane.stop();
  }
});
