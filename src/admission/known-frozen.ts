import type { ReleaseStores } from '../facts/release-stores.ts';
import type { Situations } from '../facts/situation.ts';
import type { ReleaseName } from '../helm/names.ts';
import type { Policy } from '../policy/policy.ts';
import { isTrusted } from '../policy/subjects.ts';
import { actionOf } from '../rules/actions.ts';
import { isUnchanged } from '../rules/drift/is-unchanged.ts';
import type { OperationState } from '../rules/in-flight.ts';
import { findFreezes } from '../rules/locks.ts';
import { aspectOf, type RecognisedReview } from './recognised-review.ts';
import type { Review } from './wire/review.ts';

/** Tells whether memory alone knows that a review would change an object of a frozen release. */
export type FindFrozen = (review: RecognisedReview) => ReleaseName | undefined;

export interface FindFrozenDependencies {
  readonly situations: Pick<Situations, 'fromMemory'>;
  readonly stores: Pick<ReleaseStores, 'known'>;
  /** The release of the object whose scale is written, once the judge has read that object. */
  readonly scaled: WeakMap<Review, ReleaseName>;
}

/** Whether a freeze lets the user's write pass: that of the holder of an operation in flight, and that of a user who is trusted while frozen. */
const passesFreeze = (policy: Policy, operation: OperationState, user: Review['user']): boolean =>
  actionOf(policy, 'BelayFrozen') !== 'Deny' ||
  (operation.state === 'in-flight' && operation.inFlight.holder === user.username) ||
  isTrusted(policy.drift.trusted, user, true);

/**
 * For a review that could not be judged in time. What belongs to a frozen release does not pass unchecked, whatever its manifest lists. Memory may be
 * some moments old: a freeze that was lifted just now may refuse one more write, and the next one passes.
 */
export const createFindFrozen =
  ({ situations, stores, scaled }: FindFrozenDependencies): FindFrozen =>
  (review) => {
    const { object, oldObject, user } = review;
    const owners = aspectOf(review, 'object')?.owners ?? [scaled.get(review)].filter((owner) => owner !== undefined);
    if (owners.length === 0) return undefined;
    if (object !== undefined && oldObject !== undefined && isUnchanged(oldObject, object)) return undefined;

    const isFrozen = (owner: ReleaseName, store: ReleaseName): boolean => {
      const { facts, namespaces, policy, clock, operation } = situations.fromMemory(store, owner.namespace);
      if (passesFreeze(policy, operation, user)) return false;
      return findFreezes(facts.records, namespaces, policy, clock.nowMs).length > 0;
    };
    return owners.find((owner) => stores.known(owner).some((store) => isFrozen(owner, store)));
  };
