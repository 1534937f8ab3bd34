import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOrMakeBinaries } from './binaries.ts';
import type { PoolAnswer } from './borrow-cluster.ts';
import { type ClusterOptions, type ClusterPlace, programsOf, startCluster } from './cluster.ts';
import { type EtcdContent, readContent, restoreContent } from './etcd-content.ts';
import { createProcesses } from './processes.ts';
import { silent } from './progress.ts';

/** Clusters that files of tests have one after the other, where their options are equal: to start one takes 5 to 8 s of processor time. */
export interface ClusterPool {
  readonly socketPath: string;
  close(): Promise<void>;
}

interface PooledCluster {
  readonly key: string;
  readonly place: ClusterPlace;
  /** What was stored when it had just been started. */
  readonly asNew: EtcdContent;
  end(): Promise<void>;
}

/** Controllers answer to what has vanished, and some of them write once more. */
const SETTLE_MS = 300;
const MOST_ROUNDS = 20;

/** Makes a cluster what it was; false if that does not come to an end. */
const renew = async ({ place, asNew }: PooledCluster): Promise<boolean> => {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const changed = await restoreContent(place, asNew);
    if (changed === 0 && round > 0) return true;
    await sleep(SETTLE_MS);
  }
  return false;
};

const startPooled = async (key: string, options: ClusterOptions): Promise<PooledCluster> => {
  const bin = await findOrMakeBinaries(programsOf(options));
  const dir = await mkdtemp(join(tmpdir(), 'belay-cluster-'));
  const processes = createProcesses({ logDir: join(dir, 'logs'), removeDir: dir });
  const end = async (): Promise<void> => {
    await processes.stopAll();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const place = await startCluster(options, { dir, bin, processes, progress: silent });
    return { key, place, asNew: await readContent(place), end };
  } catch (error) {
    await end();
    throw error;
  }
};

/** Listens on a socket for files of tests (borrow-cluster.ts). A cluster that is given back is renewed before the next file has it. */
export const startClusterPool = async (): Promise<ClusterPool> => {
  const dir = await mkdtemp(join(tmpdir(), 'belay-pool-'));
  const socketPath = join(dir, 'socket');
  const all = new Set<PooledCluster>();
  const idle: PooledCluster[] = [];
  const pending = new Set<Promise<void>>();

  const renewals = new Map<PooledCluster, Promise<void>>();
  /** Those of them that a file waits for. */
  const promised = new Set<PooledCluster>();

  const take = async (options: ClusterOptions): Promise<PooledCluster> => {
    const key = JSON.stringify(options);
    // One that is being renewed is there sooner than a new one.
    const renewed = [...renewals].find(([cluster]) => cluster.key === key && !promised.has(cluster));
    if (renewed && !idle.some((cluster) => cluster.key === key)) {
      const [cluster, renewal] = renewed;
      promised.add(cluster);
      await renewal.finally(() => promised.delete(cluster));
    }
    const index = idle.findIndex((cluster) => cluster.key === key);
    const [known] = index < 0 ? [] : idle.splice(index, 1);
    if (known) return known;
    const started = await startPooled(key, options);
    all.add(started);
    return started;
  };
  const putBack = async (cluster: PooledCluster): Promise<void> => {
    if (await renew(cluster).catch(() => false)) idle.push(cluster);
    else {
      all.delete(cluster);
      await cluster.end();
    }
    renewals.delete(cluster);
  };

  const serve = async (socket: Socket): Promise<void> => {
    socket.on('error', () => {});
    const closed = once(socket, 'close');
    const gone = new AbortController();
    for (const event of ['end', 'close']) socket.once(event, () => gone.abort());
    const [line] = (await Promise.race([once(createInterface(socket), 'line'), closed])) as [unknown];
    if (typeof line !== 'string') return;
    const answer = (said: PoolAnswer): void => void socket.write(`${JSON.stringify(said)}\n`);
    let cluster: PooledCluster;
    try {
      cluster = await take(JSON.parse(line) as ClusterOptions);
    } catch (error) {
      answer({ error: String(error) });
      socket.end();
      return;
    }
    answer({ place: cluster.place });
    if (!gone.signal.aborted) await once(gone.signal, 'abort');
    const renewal = putBack(cluster);
    renewals.set(cluster, renewal);
    socket.end();
    await renewal;
  };

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const served = serve(socket);
    pending.add(served);
    void served.finally(() => pending.delete(served));
  });
  server.listen(socketPath);
  await once(server, 'listening');

  return {
    socketPath,
    close: async () => {
      server.close();
      await Promise.all(pending);
      await Promise.all([...all].map((cluster) => cluster.end()));
      await rm(dir, { recursive: true, force: true });
    },
  };
};
