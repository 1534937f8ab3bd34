import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { ClusterOptions, ClusterPlace } from './cluster.ts';

/** The variable that names the socket of the runner's clusters, for the files that it runs. */
export const POOL_SOCKET = 'BELAY_CLUSTER_POOL';

export interface LentCluster {
  readonly place: ClusterPlace;
  /** Nothing may be asked of the cluster after it. The end of this process gives the cluster back too. */
  giveBack(): void;
}

/** What the runner answers to the options of a cluster, each a line of JSON. */
export type PoolAnswer = { readonly place: ClusterPlace } | { readonly error: string };

/** A cluster of the runner's, as it was when it had just been started. */
export const borrowCluster = async (socketPath: string, options: ClusterOptions): Promise<LentCluster> => {
  const socket = connect(socketPath);
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  socket.write(`${JSON.stringify(options)}\n`);
  const lines = createInterface(socket);
  const [line] = (await Promise.race([once(lines, 'line'), closed])) as [unknown];
  const answer: PoolAnswer =
    typeof line === 'string' ? (JSON.parse(line) as PoolAnswer) : { error: 'the runner of the tests has ended' };
  if ('error' in answer) throw new Error(`no cluster of the runner's: ${answer.error}`);
  // It is open as long as this process lives, and is no reason for it to live.
  socket.unref();
  return { place: answer.place, giveBack: () => void socket.end() };
};
