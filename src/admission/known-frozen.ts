import type { DeleteHooks } from '../facts/delete-hooks.ts';
import { mayGovern } from '../facts/known-stores.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import type { ReleaseStores } from '../facts/release-stores.ts';
import type { Situations } from '../facts/situation.ts';
import { isHook } from '../helm/delete-hooks.ts';
import type { ReleaseName } from '../helm/names.ts';
import type { Policy } from '../policy/policy.ts';
import { isTrusted } from '../policy/subjects.ts';
import { actionOf } from '../rules/actions.ts';
import { isUnchanged } from '../rules/drift/is-unchanged.ts';
import type { OperationState } from '../rules/in-flight.ts';
import { findFreezes } from '../rules/locks.ts';
import { refOf } from './object/ref-of.ts';
import { aspectOf, type RecognisedReview } from './recognised-review.ts';
import type { Review } from './wire/review.ts';

/** Tells whether memory alone knows that a review would change an object of a frozen release. */
export type FindFrozen = (review: RecognisedReview) => ReleaseName | undefined;

export interface FindFrozenDependencies {
  readonly situations: Pick<Situations, 'fromMemory'>;
  readonly index: Pick<ReleaseIndex, 'releases'>;
  readonly deleteHooks: Pick<DeleteHooks, 'known'>;
  readonly stores: Pick<ReleaseStores, 'known'>;
  /** The release of the object whose scale is written, once the judge has read that object. */
  readonly scaled: WeakMap<Review, ReleaseName>;
}

/** Whether the user may write in spite of a freeze: the holder of an operation in flight may, and so may a user who is trusted while frozen. */
const passesFreeze = (policy: Policy, operation: OperationState, user: Review['user']): boolean =>
  actionOf(policy, 'BelayFrozen') !== 'Deny' ||
  (operation.state === 'in-flight' && operation.inFlight.holder === user.username) ||
  isTrusted(policy.drift.trusted, user, true);

/**
 * Used for a review that could not be judged in time. An object of a frozen release does not pass unchecked, whatever the manifest lists. Memory may
 * be some moments old: a freeze that was lifted just now may refuse one more write, and the next write passes.
 */
export const createFindFrozen =
  ({ situations, stores, scaled, index, deleteHooks }: FindFrozenDependencies): FindFrozen =>
  (review) => {
    const { object, oldObject, user } = review;
    if (review.reviewKind === 'hook') return findOfHook({ situations, index, deleteHooks }, review);
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

/** The frozen release that lists the object as a hook of its uninstall, as far as its hooks have been read before. */
const findOfHook = (
  { situations, index, deleteHooks }: Pick<FindFrozenDependencies, 'situations' | 'index' | 'deleteHooks'>,
  review: Review,
): ReleaseName | undefined => {
  const object = refOf(review);
  for (const release of index.releases()) {
    const { facts, namespaces, policy, clock, operation } = situations.fromMemory(release, object.namespace);
    if (passesFreeze(policy, operation, review.user)) continue;
    if (findFreezes(facts.records, namespaces, policy, clock.nowMs).length === 0) continue;
    const stored = mayGovern(facts.records).map((record) => deleteHooks.known(record));
    if (stored.some((known) => known?.hooks.some((hook) => isHook(hook, object, known.home)))) return release;
  }
  return undefined;
};
