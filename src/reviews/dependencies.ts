import type { Logger } from 'pino';
import type { Access } from '../cluster/access.ts';
import type { Api } from '../cluster/api.ts';
import type { Claims } from '../cluster/claims.ts';
import type { LiveFacts } from '../cluster/live-facts.ts';
import type { Manifests } from '../cluster/manifests.ts';
import type { Policies } from '../cluster/policies.ts';
import type { ReleaseIndex } from '../cluster/release-index.ts';
import type { ReleaseStores } from '../cluster/release-stores.ts';
import type { Decoder } from '../helm/decoder.ts';
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
  readonly log: Logger;
  readonly nowMs: () => number;
}

export const clockOf = ({ nowMs }: ReviewDependencies, { operations }: Policy): StaleClock => ({
  nowMs: nowMs(),
  staleAfterMs: operations.staleAfterMs,
});
