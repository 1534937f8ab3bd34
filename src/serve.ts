import { hostname } from 'node:os';
import { createNoteEvents } from './admission/note-events.ts';
import { recognise } from './admission/recognise.ts';
import { createCertificateSource } from './certificates/certificate-source.ts';
import type { Issuer } from './certificates/keeper.ts';
import type { Lifetimes } from './certificates/lifetimes.ts';
import { registerCertificateMetrics } from './certificates/metrics.ts';
import { registerDriftMetrics } from './drift/metrics.ts';
import { createSweeper } from './drift/sweeper.ts';
import { createEvents } from './events/events.ts';
import { registerEventMetrics } from './events/metrics.ts';
import { registerIndexMetrics } from './facts/metrics.ts';
import { createPolicies } from './facts/policies.ts';
import { createReleaseIndex } from './facts/release-index.ts';
import { createDecoder } from './helm/decoder.ts';
import { createTextMemory } from './helm/text-memory.ts';
import type { Intervals } from './intervals/intervals.ts';
import { createBoundedApi } from './kubernetes/bounded-api.ts';
import { createClusterClock } from './kubernetes/cluster-clock.ts';
import { connectToCluster } from './serve/connect-to-cluster.ts';
import { createJudges } from './serve/create-judges.ts';
import { readinessChecks } from './serve/readiness.ts';
import type { Judge } from './server/answer-in-time.ts';
import { createApp } from './server/app.ts';
import { createClientCheck, type ReviewClients } from './server/client-certificate.ts';
import { CLOSE_DEADLINE_MS, createDrain, exitGracefully } from './server/drain.ts';
import { startServer } from './server/listener.ts';
import { registerLoadMetrics } from './server/load-metrics.ts';
import { createMetrics } from './server/metrics.ts';
import { startMetricsServer } from './server/metrics-listener.ts';
import type { ObjectsFail } from './server/without-verdict.ts';
import { createLog } from './telemetry/log.ts';

export interface CertificateOptions {
  readonly issuer: Issuer;
  /** The Secret's name. */
  readonly secret: string;
  /** Whether Belay writes the caBundles. */
  readonly inject: boolean;
  readonly lifetimes: Lifetimes;
}

/** Settings of the process, from the command line. */
export interface ServeOptions {
  readonly kubeconfig: string | undefined;
  /** Belay's own namespace and Service: the names in the certificate and the place of its Secret. */
  readonly namespace: string;
  readonly service: string;
  readonly certificates: CertificateOptions;
  readonly address: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly staleAfterMs: number;
  readonly intervals: Intervals;
  /** Those that are not as shipped, for the log. */
  readonly differingIntervals: readonly string[];
  readonly objectsFail: ObjectsFail;
  readonly drainMs: number;
  readonly logLevel: string;
  /** Who may ask for reviews. Undefined: everybody who can connect. */
  readonly reviewClients: ReviewClients | undefined;
}

/** Beyond the drain and the close: for timers and watches to end before the process is ended by force. */
const EXIT_MARGIN_MS = 5_000;

/**
 * Requests of reviews to the API server at once: at 20 ms each, 3,000 a second. Its own fairness gives a service account some hundred seats
 * (apf's workload-low), and Belay must not stand in the way of all others that share them. Those that wait have had their turn in half a
 * second then, or in five where the API server takes 200 ms: half of what a record's review has.
 */
const REQUESTS = { maxAtOnce: 64, maxWaiting: 1_600 };

/**
 * Puts Belay together and serves until SIGTERM or SIGINT. Rejects when it cannot begin. `wallMs` is the clock of this machine, which counts
 * until the API server has told the time. From then on the API server's time counts, for certificates too: it is the API server that checks
 * them. The function is long because it is the list of all parts, in the order in which they need each other.
 */
export const serve = async (options: ServeOptions, wallMs: () => number = Date.now): Promise<void> => {
  const { namespace, service, intervals, reviewClients, address, port, metricsPort, staleAfterMs } = options;
  const log = createLog(undefined, options.logLevel);
  const metrics = createMetrics();
  const { registry } = metrics;
  const clock = createClusterClock(wallMs);
  const { nowMs } = clock;
  const instance = process.env.POD_NAME ?? hostname();

  const cluster = { kubeconfig: options.kubeconfig, intervals: intervals.reachability, clock, log };
  const { api, reachability } = connectToCluster(cluster);
  const forReviews = createBoundedApi(api, REQUESTS);

  const index = createReleaseIndex(api, log, intervals.mirrors);
  const policies = createPolicies({ api, index, log, intervals, nowMs, staleAfterMs });
  const memory = createTextMemory();
  const decoder = createDecoder(memory);
  const judges = createJudges({ api: forReviews, index, policies, decoder, intervals, log, nowMs });

  const events = createEvents({ api, log, intervals: intervals.events, nowMs, instance });
  const noteEvents = createNoteEvents({ events, index, log, nowMs });
  const sweeper = createSweeper({ api, index, decoder, policies, events, log, intervals, nowMs, namespace, instance });

  const issuing = { ...options.certificates, intervals: intervals.certificates };
  const source = createCertificateSource({ api, namespace, service, ...issuing, log, now: nowMs });
  const drain = createDrain({ drainMs: options.drainMs, log });

  registerIndexMetrics(registry, index, policies);
  registerLoadMetrics(registry, {
    apiRunning: forReviews.running,
    apiWaiting: forReviews.waiting,
    decoderWaiting: decoder.waiting,
  });
  registerCertificateMetrics(registry, source);
  registerEventMetrics(registry, events);
  registerDriftMetrics(registry, sweeper.stats, sweeper.requests);

  const noting =
    (judge: Judge): Judge =>
    (review, deadline) => {
      reachability.noteReview();
      return judge(review, deadline);
    };
  const app = createApp({
    admit: noting(judges.admit),
    mutate: noting(judges.mutate),
    recognise,
    findFrozen: judges.findFrozen,
    objectsFail: options.objectsFail,
    memory,
    noteEvents: (review, answer) => {
      noteEvents(review, answer);
      sweeper.noteAnswer(review, answer);
    },
    readiness: () => readinessChecks({ source, index, policies, reachability, drain }),
    // Connections outlive the endpoint that they were made to.
    isDraining: () => drain.isDraining() || reachability.isCutOff(),
    ...(reviewClients && { isReviewClient: createClientCheck(reviewClients) }),
    log,
    metrics,
    nowMs,
  });

  const stop = new AbortController();
  const running = Promise.all([
    index.run(stop.signal),
    policies.run(stop.signal),
    events.run(stop.signal),
    judges.claims.sweep(stop.signal),
    sweeper.run(stop.signal),
  ]);
  // /livez answers from the start; handshakes fail until there is a certificate.
  const servers = [
    await startMetricsServer({ metrics, address, port: metricsPort, log }),
    await startServer({ app, address, port, source, clientCa: reviewClients?.ca, log }),
  ];
  exitGracefully({
    log,
    delayMs: options.drainMs + CLOSE_DEADLINE_MS + EXIT_MARGIN_MS,
    onSignal: async () => {
      await drain.run(servers);
      stop.abort();
      await Promise.all([running, source.stopped(), decoder.close()]);
    },
  });
  if (options.differingIntervals.length > 0)
    log.warn(
      { intervals: options.differingIntervals },
      'these intervals differ from the shipped ones: for tests alone',
    );
  log.info({ address, port, metricsPort, staleAfterMs }, 'serving');
  await source.start(stop.signal);
};
