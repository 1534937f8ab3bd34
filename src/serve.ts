import { hostname } from 'node:os';
import { type AdmitDependencies, admit } from './admission/admit.ts';
import { createNoteEvents } from './admission/note-events.ts';
import { recognise } from './admission/recognise.ts';
import { type CarryLocksDependencies, carryLocks } from './admission/record/carry-locks.ts';
import { createCertificateSource } from './certificates/certificate-source.ts';
import type { Issuer } from './certificates/keeper.ts';
import type { Lifetimes } from './certificates/lifetimes.ts';
import { registerCertificateMetrics } from './certificates/metrics.ts';
import { registerDriftMetrics } from './drift/metrics.ts';
import { createSweeper } from './drift/sweeper.ts';
import { createEvents } from './events/events.ts';
import { registerEventMetrics } from './events/metrics.ts';
import { createAccess } from './facts/access.ts';
import { createClaims } from './facts/claims.ts';
import { createLiveFacts } from './facts/live-facts.ts';
import { createManifests } from './facts/manifests.ts';
import { registerIndexMetrics } from './facts/metrics.ts';
import { createPayloadNamespaces } from './facts/payload-namespaces.ts';
import { createPolicies } from './facts/policies.ts';
import { createReleaseIndex } from './facts/release-index.ts';
import { createReleaseStores } from './facts/release-stores.ts';
import { createSituations } from './facts/situation.ts';
import { createDecoder } from './helm/decoder.ts';
import { createTextMemory } from './helm/text-memory.ts';
import type { Intervals } from './intervals/intervals.ts';
import { ApiError, createApi } from './kubernetes/api.ts';
import { createBoundedApi } from './kubernetes/bounded-api.ts';
import { createClusterClock } from './kubernetes/cluster-clock.ts';
import { connect } from './kubernetes/connection.ts';
import { createReachability } from './kubernetes/reachability.ts';
import { createApp, type ReadinessCheck } from './server/app.ts';
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
  /** Who may ask for reviews; undefined: whoever can connect. */
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

/** How long the API server may take to say its version. */
const ASK_TIMEOUT_MS = 5_000;

/**
 * Puts Belay together and serves until SIGTERM or SIGINT. Rejects when it cannot begin. `wallMs` is the clock of this machine, which counts until
 * the API server has told the time. Then all goes by that, certificates too: it is the API server that checks them.
 */
export const serve = async (options: ServeOptions, wallMs: () => number = Date.now): Promise<void> => {
  const log = createLog(undefined, options.logLevel);
  const metrics = createMetrics();
  const clock = createClusterClock(wallMs);
  const { nowMs } = clock;
  const { intervals } = options;
  const connection = connect(options.kubeconfig, clock.monotonicMs);
  const reachability = createReachability({
    intervals: intervals.reachability,
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
  const index = createReleaseIndex(api, log, intervals.mirrors);
  const policies = createPolicies({ api, index, log, intervals, nowMs, staleAfterMs: options.staleAfterMs });
  const forReviews = createBoundedApi(api, REQUESTS);
  const live = createLiveFacts(forReviews);
  const claims = createClaims(forReviews, index, log, nowMs, intervals.claims);
  const memory = createTextMemory();
  const decoder = createDecoder(memory);
  const source = createCertificateSource({
    api,
    namespace: options.namespace,
    service: options.service,
    ...options.certificates,
    intervals: intervals.certificates,
    log,
    now: nowMs,
  });
  const drain = createDrain({ drainMs: options.drainMs, log });
  const dependencies: AdmitDependencies & CarryLocksDependencies = {
    api: forReviews,
    index,
    live,
    claims,
    access: createAccess(forReviews),
    manifests: createManifests(forReviews, decoder),
    decoder,
    policies,
    situations: createSituations({ index, live, policies, nowMs }),
    stores: createReleaseStores(index, live, createPayloadNamespaces(forReviews, decoder), nowMs, intervals.stores),
    shortestSilenceMs: intervals.claims.shortestSilenceMs,
    log,
    nowMs,
  };
  const instance = process.env.POD_NAME ?? hostname();
  const events = createEvents({ api, log, intervals: intervals.events, nowMs, instance });
  const { namespace, reviewClients } = options;
  const sweeper = createSweeper({ api, index, decoder, policies, events, log, intervals, nowMs, namespace, instance });
  const noteEvents = createNoteEvents({ events, index, log, nowMs });
  registerIndexMetrics(metrics.registry, index, policies);
  registerLoadMetrics(metrics.registry, {
    apiRunning: forReviews.running,
    apiWaiting: forReviews.waiting,
    decoderWaiting: decoder.waiting,
  });
  registerCertificateMetrics(metrics.registry, source);
  registerEventMetrics(metrics.registry, events);
  registerDriftMetrics(metrics.registry, sweeper.stats, sweeper.requests);

  const readiness = (): readonly ReadinessCheck[] => [
    { name: 'certificate', ok: source.current() !== undefined, detail: `there is none yet: ${source.problem()}` },
    { name: 'ca-bundle', ok: source.isInjected(), detail: 'the webhook configurations do not carry the caBundle yet' },
    { name: 'index', ok: index.isSynced(), detail: 'the records have not all been listed yet' },
    { name: 'policies', ok: policies.isSynced(), detail: 'the policies have not all been listed yet' },
    {
      name: 'api-server',
      ok: !reachability.isCutOff(),
      detail: 'the API server asks for decisions, and does not answer this replica',
    },
    drain.check(),
  ];
  const app = createApp({
    admit: (review, deadline) => {
      reachability.noteReview();
      return admit(dependencies, review, deadline);
    },
    mutate: (review, deadline) => {
      reachability.noteReview();
      return carryLocks(dependencies, review, deadline.signal);
    },
    recognise,
    objectsFail: options.objectsFail,
    memory,
    noteEvents: (review, answer) => {
      noteEvents(review, answer);
      sweeper.noteAnswer(review, answer);
    },
    readiness,
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
    claims.sweep(stop.signal),
    sweeper.run(stop.signal),
  ]);
  // /livez answers from the start; handshakes fail until there is a certificate.
  const { address, port, metricsPort } = options;
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
  log.info({ address, port, metricsPort, staleAfterMs: options.staleAfterMs }, 'serving');
  await source.start(stop.signal);
};
