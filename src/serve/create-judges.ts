import type { Logger } from 'pino';
import { type AdmitDependencies, admit } from '../admission/admit.ts';
import { createFindFrozen, type FindFrozen } from '../admission/known-frozen.ts';
import { type CarryLocksDependencies, carryLocks } from '../admission/record/carry-locks.ts';
import { createRenewalPace } from '../admission/renewal-pace.ts';
import { createAccess } from '../facts/access.ts';
import { createAutoscalers } from '../facts/autoscalers.ts';
import { type Claims, createClaims } from '../facts/claims.ts';
import { createDeleteHooks } from '../facts/delete-hooks.ts';
import { createInstalledPresets } from '../facts/installed-presets.ts';
import { createKindVersions } from '../facts/kind-versions.ts';
import { createLiveFacts } from '../facts/live-facts.ts';
import { createManifestNamespaces } from '../facts/manifest-namespaces.ts';
import { createManifests } from '../facts/manifests.ts';
import { createObjectsInNamespace } from '../facts/objects-in-namespace.ts';
import { createPayloadNamespaces } from '../facts/payload-namespaces.ts';
import type { Policies } from '../facts/policies.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import { createReleaseStores } from '../facts/release-stores.ts';
import { createSituations } from '../facts/situation.ts';
import type { Decoder } from '../helm/decoder.ts';
import type { Intervals } from '../intervals/intervals.ts';
import type { Api } from '../kubernetes/api.ts';
import { createKinds } from '../kubernetes/kinds.ts';
import type { Judge } from '../server/answer-in-time.ts';

export interface JudgesOptions {
  /** For the requests of reviews. */
  readonly api: Api;
  readonly index: ReleaseIndex;
  readonly policies: Policies;
  readonly decoder: Decoder;
  readonly intervals: Pick<Intervals, 'claims' | 'stores' | 'discovery'>;
  readonly log: Logger;
  readonly nowMs: () => number;
}

export interface Judges {
  /** Of /validate. */
  readonly admit: Judge;
  /** Of /mutate. */
  readonly mutate: Judge;
  /** For reviews that cannot be judged in time. */
  readonly findFrozen: FindFrozen;
  /** The claims that `admit` writes. */
  readonly claims: Claims;
}

/** They are read one after the other, and what is wanted of them is remembered apart. */
const MANIFESTS_ELSEWHERE = { max: 16, maxBytes: 2 * 1024 * 1024 };

/** Puts together what reviews are judged with. */
export const createJudges = ({ api, index, policies, decoder, intervals, log, nowMs }: JudgesOptions): Judges => {
  const live = createLiveFacts(api);
  const claims = createClaims(api, index, log, nowMs, intervals.claims);
  const namespaces = createPayloadNamespaces(api, decoder);
  // Apart from the manifests of the reviews, which they would push out.
  const elsewhere = createManifests(api, decoder, MANIFESTS_ELSEWHERE);
  const kinds = createKinds(api, nowMs, intervals.discovery);
  const dependencies: AdmitDependencies & CarryLocksDependencies = {
    api,
    index,
    live,
    claims,
    access: createAccess(api),
    autoscalers: createAutoscalers(api),
    presets: createInstalledPresets(kinds),
    manifests: createManifests(api, decoder),
    decoder,
    policies,
    situations: createSituations({ index, live, policies, nowMs }),
    scaled: new WeakMap(),
    deleteHooks: createDeleteHooks(api, decoder),
    stores: createReleaseStores(index, live, namespaces, nowMs, intervals.stores),
    payloadNamespaces: namespaces,
    // A version that is no longer served is to be known soon, so that nobody is refused for what the API server does about it.
    kindVersions: createKindVersions({
      api,
      kinds: createKinds(api, nowMs, { ...intervals.discovery, rememberMs: intervals.discovery.retryUnknownMs }),
      nowMs,
      rememberMs: intervals.discovery.retryUnknownMs,
    }),
    objectsIn: createObjectsInNamespace({
      api,
      kinds,
      manifests: elsewhere,
      named: createManifestNamespaces(elsewhere),
    }),
    renewalPace: createRenewalPace(nowMs),
    shortestSilenceMs: intervals.claims.shortestSilenceMs,
    log,
    nowMs,
  };
  return {
    admit: (review, deadline) => admit(dependencies, review, deadline),
    mutate: (review, deadline) => carryLocks(dependencies, review, deadline.signal),
    findFrozen: createFindFrozen(dependencies),
    claims,
  };
};
