import type { Logger } from 'pino';
import type { RecognisedReview } from '../admission/recognised-review.ts';
import type { AdmissionAnswer } from '../admission/wire/answer.ts';
import type { Events } from '../events/events.ts';
import { createLiveFacts } from '../facts/live-facts.ts';
import { createManifests } from '../facts/manifests.ts';
import type { Policies } from '../facts/policies.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import type { Decoder } from '../helm/decoder.ts';
import type { Intervals } from '../intervals/intervals.ts';
import type { Api } from '../kubernetes/api.ts';
import { createElection } from '../kubernetes/election.ts';
import { createPacedApi } from '../kubernetes/paced-api.ts';
import { rechecksOf } from './rechecks.ts';
import { createSweep } from './sweep.ts';
import type { SweepStats } from './sweep-stats.ts';

/** The sweep of all replicas: one of them sweeps, and the others tell it which releases to look at soon. */
export interface Sweeper {
  /** For the server to call when an answer has been sent. Never throws. */
  noteAnswer(review: RecognisedReview, answer: AdmissionAnswer): void;
  run(signal: AbortSignal): Promise<void>;
  stats(): SweepStats;
  /** How many requests the sweep has made since the start of the process. */
  requests(): number;
}

export interface SweeperOptions {
  readonly api: Api;
  readonly index: ReleaseIndex;
  readonly decoder: Decoder;
  readonly policies: Pick<Policies, 'inForce' | 'isSynced'>;
  readonly events: Pick<Events, 'note'>;
  readonly log: Logger;
  readonly intervals: Pick<Intervals, 'sweep' | 'election' | 'discovery'>;
  readonly nowMs: () => number;
  /** Belay's own namespace, where the Lease is. */
  readonly namespace: string;
  readonly instance: string;
}

export const SWEEP_LEASE = 'belay-sweep';

/** The marks of an object may hold any text, so names are checked before they are sent. */
const NAME = /^[a-z0-9][a-z0-9.-]{0,252}$/;

/** Each manifest is needed once an interval, so that hardly any is worth keeping. */
const MANIFESTS = { maxBytes: 2 * 1024 * 1024 };

/**
 * 10,000 releases of five objects each are 60,000 requests, which take the default interval of 10 minutes. Reads by name at that pace are a few
 * percent of one core of the API server. Its priority and fairness does the rest.
 */
const REQUESTS_PER_SECOND = 100;

export const createSweeper = (options: SweeperOptions): Sweeper => {
  const { api, decoder, log, intervals, nowMs, instance } = options;
  const paced = createPacedApi(api, REQUESTS_PER_SECOND);
  const sweep = createSweep({
    ...options,
    api: paced,
    live: createLiveFacts(paced),
    manifests: createManifests(paced, decoder, MANIFESTS),
  });
  const election = createElection({
    ...{ api, instance, log, nowMs, namespace: options.namespace, name: SWEEP_LEASE },
    intervals: intervals.election,
    monotonicMs: () => performance.now(),
    // Neither a namespace nor a release's name may hold a slash.
    onMessage: (message) => {
      const [of = '', name = ''] = message.split('/');
      if (name !== '') sweep.recheck({ namespace: of, name });
    },
  });
  return {
    noteAnswer: (review, answer) => {
      for (const { namespace, name } of rechecksOf(review, answer))
        if (NAME.test(namespace) && NAME.test(name)) election.tellLeader(`${namespace}/${name}`);
    },
    run: async (signal) => {
      // Without the right to sweep, no replica has to be elected.
      await sweep.waitForRight(signal);
      await election.run(signal, sweep.lead);
    },
    stats: sweep.stats,
    requests: paced.requests,
  };
};
