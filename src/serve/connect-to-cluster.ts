import type { Logger } from 'pino';
import type { ReachabilityIntervals } from '../intervals/intervals.ts';
import { type Api, ApiError, createApi } from '../kubernetes/api.ts';
import type { createClusterClock } from '../kubernetes/cluster-clock.ts';
import { connect } from '../kubernetes/connection.ts';
import { createReachability } from '../kubernetes/reachability.ts';

/** How long the API server may take to say its version. */
const ASK_TIMEOUT_MS = 5_000;

export interface ConnectOptions {
  readonly kubeconfig: string | undefined;
  readonly intervals: ReachabilityIntervals;
  readonly clock: ReturnType<typeof createClusterClock>;
  readonly log: Logger;
}

export interface Cluster {
  readonly api: Api;
  readonly reachability: ReturnType<typeof createReachability>;
}

/** The client of the API server, which sets the clock by its answers and goes on with new connections where there are none. */
export const connectToCluster = ({ kubeconfig, intervals, clock, log }: ConnectOptions): Cluster => {
  const connection = connect(kubeconfig, clock.monotonicMs);
  const reachability = createReachability({
    intervals,
    ask: () =>
      api.request({ path: '/version', signal: AbortSignal.timeout(ASK_TIMEOUT_MS) }).then(
        () => true,
        (error: unknown) => error instanceof ApiError && error.status > 0,
      ),
    reconnect: () => {
      log.warn('the API server does not answer: reconnecting');
      connection.reconnect();
    },
    renew: () => {
      log.info('a request was not answered: going on with new connections');
      connection.renew();
    },
  });
  const api = createApi(connection, undefined, {
    answered: (date, sentAtMs) => {
      clock.observe(date, sentAtMs);
      reachability.noteAnswer();
    },
    unanswered: reachability.noteNoAnswer,
  });
  return { api, reachability };
};
