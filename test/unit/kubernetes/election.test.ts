import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, ApiError, type ApiRequest } from '../../../src/kubernetes/api.ts';
import { createElection } from '../../../src/kubernetes/election.ts';
import type { Lease } from '../../../src/kubernetes/lease.ts';
import { createLog } from '../../../src/telemetry/log.ts';

/** An API server with one Lease: a write is a compare-and-swap. A real one is in test/cluster/sweep-takeover.test.ts. */
const createLeaseApi = () => {
  let lease: Lease | undefined;
  let version = 0;
  let isUp = true;
  const store = (body: Lease): Lease => {
    version += 1;
    lease = { ...body, metadata: { ...body.metadata, resourceVersion: String(version) } };
    return lease;
  };
  const answer = ({ method = 'GET', body }: ApiRequest): Lease => {
    const sent = body as Lease;
    if (!isUp) throw new ApiError(0, 'Unreachable', 'no answer');
    if (method === 'POST') {
      if (lease !== undefined) throw new ApiError(409, 'AlreadyExists', 'somebody was first');
      return store(sent);
    }
    if (lease === undefined) throw new ApiError(404, 'NotFound', 'no such Lease');
    if (method === 'GET') return lease;
    if (method === 'PATCH') {
      const annotations = { ...lease.metadata?.annotations, ...sent.metadata?.annotations };
      return store({ ...lease, metadata: { ...lease.metadata, annotations } });
    }
    if (sent.metadata?.resourceVersion !== lease.metadata?.resourceVersion)
      throw new ApiError(409, 'Conflict', 'somebody was first');
    return store(sent);
  };
  const api: Api = {
    request: async <T>(request: ApiRequest) => answer(request) as T,
    watch: () => {
      throw new Error('nobody watches the Lease');
    },
  };
  return {
    api,
    goDown: () => {
      isUp = false;
    },
  };
};

const INTERVALS = { leaseMs: 1_000, renewDeadlineMs: 200, retryMs: 20 };

const createReplica = (api: Api, instance: string) => {
  const messages: string[] = [];
  const stop = new AbortController();
  const election = createElection({
    ...{ api, instance, namespace: 'belay-system', name: 'belay-sweep', intervals: INTERVALS },
    log: createLog({ write: () => true }),
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
    onMessage: (message) => messages.push(message),
  });
  const running = election.run(
    stop.signal,
    (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  );
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { election, messages, end };
};

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await sleep(5);
};

test('one of two replicas leads, and the other one follows when the leader ends', { timeout: 20_000 }, async () => {
  const { api } = createLeaseApi();
  const [one, other] = [createReplica(api, 'one'), createReplica(api, 'other')];
  const leaders = () => [one, other].filter(({ election }) => election.isLeading());
  await until(() => leaders().length > 0);
  await sleep(10 * INTERVALS.retryMs);
  assert.equal(leaders().length, 1);
  const [first] = leaders();
  const second = first === one ? other : one;
  await first?.end();
  await until(() => second.election.isLeading());
  await second.end();
});

test('a message from another replica reaches the leader once', { timeout: 20_000 }, async () => {
  const { api } = createLeaseApi();
  const leader = createReplica(api, 'leader');
  await until(() => leader.election.isLeading());
  const follower = createReplica(api, 'follower');
  follower.election.tellLeader('shop/web');
  leader.election.tellLeader('shop/own');
  await until(() => leader.messages.includes('shop/web'));
  await sleep(5 * INTERVALS.retryMs);
  assert.deepEqual(leader.messages.toSorted(), ['shop/own', 'shop/web']);
  assert.deepEqual(follower.messages, []);
  await Promise.all([leader.end(), follower.end()]);
});

test('a leader that cannot renew the Lease leads no longer', { timeout: 20_000 }, async () => {
  const { api, goDown } = createLeaseApi();
  const leader = createReplica(api, 'leader');
  await until(() => leader.election.isLeading());
  goDown();
  await until(() => !leader.election.isLeading());
  await leader.end();
});
