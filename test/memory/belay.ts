import { type AdmitDependencies, admit } from '../../src/admission/admit.ts';
import { createFindFrozen } from '../../src/admission/known-frozen.ts';
import { createNoteEvents } from '../../src/admission/note-events.ts';
import { recognise } from '../../src/admission/recognise.ts';
import { type CarryLocksDependencies, carryLocks } from '../../src/admission/record/carry-locks.ts';
import { createRenewalPace } from '../../src/admission/renewal-pace.ts';
import { readReview } from '../../src/admission/wire/read-review.ts';
import { toAdmissionText } from '../../src/admission/wire/respond.ts';
import { createEvents } from '../../src/events/events.ts';
import { createAccess } from '../../src/facts/access.ts';
import { createAutoscalers } from '../../src/facts/autoscalers.ts';
import { createClaims } from '../../src/facts/claims.ts';
import { createDeleteHooks } from '../../src/facts/delete-hooks.ts';
import { createInstalledPresets } from '../../src/facts/installed-presets.ts';
import { createKindVersions } from '../../src/facts/kind-versions.ts';
import { createLiveFacts } from '../../src/facts/live-facts.ts';
import { createManifestNamespaces } from '../../src/facts/manifest-namespaces.ts';
import { createManifests } from '../../src/facts/manifests.ts';
import { createObjectsInNamespace } from '../../src/facts/objects-in-namespace.ts';
import { createPayloadNamespaces } from '../../src/facts/payload-namespaces.ts';
import { createPolicies } from '../../src/facts/policies.ts';
import { createReleaseIndex } from '../../src/facts/release-index.ts';
import { createReleaseStores } from '../../src/facts/release-stores.ts';
import { createSituations } from '../../src/facts/situation.ts';
import { createTextMemory } from '../../src/helm/text-memory.ts';
import { DEFAULT_INTERVALS } from '../../src/intervals/intervals.ts';
import { createBoundedApi } from '../../src/kubernetes/bounded-api.ts';
import { createKinds } from '../../src/kubernetes/kinds.ts';
import { causeOf } from '../../src/server/cause-of.ts';
import { answerWithoutVerdict } from '../../src/server/without-verdict.ts';
import { createLog } from '../../src/telemetry/log.ts';
import type { Caller } from './admission.ts';
import type { ApiServer } from './api-server.ts';
import type { Clock } from './clock.ts';
import { createDecoderHere } from './decoder.ts';

/** `response` of the AdmissionReview that Belay answers with. */
export interface ReviewResponse {
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
  readonly patch?: string;
}

export interface MemoryBelay {
  /** Asks as the API server does, from the bytes of the AdmissionReview to those of the answer; HTTP alone is left out. */
  ask(path: '/validate' | '/mutate', review: object): Promise<ReviewResponse>;
  /** What its log told. */
  readonly logged: readonly string[];
  /** Resolves when all has been listed once, so that it would be ready. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

export const BELAY: Caller = {
  user: { username: 'system:serviceaccount:belay-system:belay', groups: ['system:serviceaccounts'] },
  manager: 'belay',
};

/** As in serve.ts. */
const REQUESTS = { maxAtOnce: 64, maxWaiting: 1_600 };

/** Belay as `serve` puts it together, over an API server in memory: all of its code but HTTP, threads, certificates and the sweep. */
export const createMemoryBelay = (server: ApiServer, { nowMs }: Clock, staleAfterMs: number): MemoryBelay => {
  const intervals = DEFAULT_INTERVALS;
  const logged: string[] = [];
  const log = createLog({ write: (line) => logged.push(line) > 0 }, 'debug');
  const api = server.apiOf(BELAY);
  const index = createReleaseIndex(api, log, intervals.mirrors);
  const policies = createPolicies({ api, index, log, intervals, nowMs, staleAfterMs });
  const forReviews = createBoundedApi(api, REQUESTS);
  const live = createLiveFacts(forReviews);
  const decoder = createDecoderHere();
  const payloadNamespaces = createPayloadNamespaces(forReviews, decoder);
  const manifests = createManifests(forReviews, decoder);
  const kinds = createKinds(forReviews, nowMs, intervals.discovery);
  const dependencies: AdmitDependencies & CarryLocksDependencies = {
    api: forReviews,
    index,
    live,
    claims: createClaims(forReviews, index, log, nowMs, intervals.claims),
    access: createAccess(forReviews),
    autoscalers: createAutoscalers(forReviews),
    presets: createInstalledPresets(kinds),
    manifests,
    decoder,
    policies,
    situations: createSituations({ index, live, policies, nowMs }),
    scaled: new WeakMap(),
    deleteHooks: createDeleteHooks(forReviews, decoder),
    stores: createReleaseStores(index, live, payloadNamespaces, nowMs, intervals.stores),
    payloadNamespaces,
    kindVersions: createKindVersions({
      api: forReviews,
      kinds: createKinds(forReviews, nowMs, intervals.discovery),
      nowMs,
      rememberMs: intervals.discovery.retryUnknownMs,
    }),
    objectsIn: createObjectsInNamespace({
      api: forReviews,
      kinds,
      manifests,
      named: createManifestNamespaces(manifests),
    }),
    renewalPace: createRenewalPace(nowMs),
    shortestSilenceMs: intervals.claims.shortestSilenceMs,
    log,
    nowMs,
  };
  const noWait = async (): Promise<void> => undefined;
  const events = createEvents({ api, log, intervals: intervals.events, nowMs, instance: 'belay-0', wait: noWait });
  const noteEvents = createNoteEvents({ events, index, log, nowMs });
  const findFrozen = createFindFrozen(dependencies);
  const memory = createTextMemory();
  const stop = new AbortController();
  const never = new AbortController().signal;
  const running = Promise.all([index.run(stop.signal), policies.run(stop.signal), events.run(stop.signal)]);

  return {
    logged,
    ask: async (path, sent) => {
      const read = readReview(Buffer.from(JSON.stringify(sent)), recognise, memory);
      if (!read.isJson || !read.parsed.ok) throw new Error('the API server in memory sent no AdmissionReview');
      const { review } = read.parsed;
      const { reviewKind } = review;
      const judge =
        path === '/mutate' ? carryLocks(dependencies, review, never) : admit(dependencies, review, { signal: never });
      const answer = await Promise.resolve(judge).catch((error: unknown) => {
        log.error({ review: reviewKind, problem: String(error) }, 'a review failed');
        return answerWithoutVerdict(reviewKind, review.operation, causeOf(error), { frozen: findFrozen(review) });
      });
      for (const text of read.texts) memory.free(text);
      noteEvents(review, answer);
      const text = toAdmissionText(review.uid, answer, nowMs());
      return (JSON.parse(text) as { response: ReviewResponse }).response;
    },
    ready: async () => {
      while (!index.isSynced() || !policies.isSynced()) await new Promise((resolve) => setImmediate(resolve));
      await server.settled();
    },
    stop: async () => {
      stop.abort();
      await running;
    },
  };
};
