import type { Logger } from 'pino';
import type { Access } from '../facts/access.ts';
import type { Claims } from '../facts/claims.ts';
import type { LiveFacts } from '../facts/live-facts.ts';
import type { Manifests } from '../facts/manifests.ts';
import type { Policies } from '../facts/policies.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import type { ReleaseStores } from '../facts/release-stores.ts';
import type { Decoder } from '../helm/decoder.ts';
import type { Api } from '../kubernetes/api.ts';
import type { Policy } from '../policy/policy.ts';
import type { StaleClock } from '../rules/in-flight.ts';

/** What a review is judged with. */
export interface ReviewDependencies {
  readonly api: Api;
  readonly index: ReleaseIndex;
  readonly live: LiveFacts;
  readonly claims: Claims;
  readonly access: Access;
  readonly manifests: Manifests;
  readonly decoder: Decoder;
  readonly policies: Policies;
  readonly stores: ReleaseStores;
  /** Shortest silence that the holder of a claim may ask for. */
  readonly shortestSilenceMs: number;
  readonly log: Logger;
  readonly nowMs: () => number;
}

export const clockOf = ({ nowMs }: ReviewDependencies, { operations }: Policy): StaleClock => ({
  nowMs: nowMs(),
  staleAfterMs: operations.staleAfterMs,
});
