import type { DeleteHooks } from '../facts/delete-hooks.ts';
import { mayGovern } from '../facts/known-stores.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import type { Situation, Situations } from '../facts/situation.ts';
import { type DeleteHook, isHook } from '../helm/delete-hooks.ts';
import type { ReleaseName } from '../helm/names.ts';
import type { ReleaseRecord } from '../helm/record.ts';
import type { ObjectRef } from '../kubernetes/object.ts';
import { isTrusted } from '../policy/subjects.ts';
import { judgeUnder } from '../rules/actions.ts';
import { judgeHook, OF_OPERATION } from '../rules/hook.ts';
import { findFreezes, findMaintenanceWindow } from '../rules/locks.ts';
import { allow, deny, type Verdict } from '../rules/verdict.ts';
import { joinVerdicts } from './join-verdicts.ts';
import { refOf } from './object/ref-of.ts';
import type { AdmissionAnswer } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

export interface ReviewHookDependencies {
  readonly index: Pick<ReleaseIndex, 'releases' | 'isFresh'>;
  readonly situations: Pick<Situations, 'fromMemory' | 'live'>;
  readonly deleteHooks: DeleteHooks;
}

/** A revision that lists the object as a hook of its uninstall. */
interface Listing {
  readonly release: ReleaseName;
  readonly record: ReleaseRecord;
  readonly chart: string;
  readonly home: string;
  readonly hook: DeleteHook;
}

/**
 * Releases of other namespaces whose hooks are looked through at most. There are some only where a hook is cluster-scoped or names another
 * namespace than its release. At some 10 ms each, and eight at once, they take half of the time of a review.
 */
const MAX_ELSEWHERE = 1_000;

const isFrozen = ({ facts, namespaces, policy, clock }: Situation): boolean =>
  findFreezes(facts.records, namespaces, policy, clock.nowMs).length > 0;

const toVerdict = (
  review: Review,
  object: ObjectRef,
  { record, hook, chart }: Listing,
  situation: Situation,
): Verdict => {
  const { release, facts, namespaces, policy, clock, operation } = situation;
  if (facts.records.length === 0) return allow('no release');
  if (isTrusted(policy.drift.trusted, review.user)) return allow('trusted');
  const { username } = review.user;
  const attempt = review.operation === 'DELETE' ? 'delete' : 'create';
  return judgeUnder(policy, (waived) =>
    judgeHook(
      { release, username, attempt, object, events: hook.events },
      {
        listing: record,
        chart,
        operation,
        claim: facts.claim,
        freezes: findFreezes(facts.records, namespaces, policy, clock.nowMs),
        serialized: policy.operations.action === 'Deny',
        open: findMaintenanceWindow(facts.records, namespaces, clock.nowMs),
      },
      waived,
    ),
  );
};

const createFindListings =
  ({ index, situations, deleteHooks }: ReviewHookDependencies) =>
  async (object: ObjectRef, namespace: string): Promise<readonly (Listing | { readonly unread: ReleaseName })[]> => {
    const look = async (release: ReleaseName): Promise<readonly (Listing | { readonly unread: ReleaseName })[]> => {
      const situation = situations.fromMemory(release, namespace);
      const lookIn = async (record: ReleaseRecord): Promise<readonly Listing[]> => {
        const stored = await deleteHooks.of(record);
        if (stored === undefined) return [];
        const { chart, home, hooks } = stored;
        return hooks
          .filter((hook) => isHook(hook, object, home))
          .map((hook) => ({ release, record, chart: `${chart.name}-${chart.version}`, home, hook }));
      };
      try {
        return (await Promise.all(mayGovern(situation.facts.records).map(lookIn))).flat();
      } catch {
        // The API server does not answer. What is not frozen passes as objects do; a frozen release does not run a hook unseen.
        return isFrozen(situation) ? [{ unread: release }] : [];
      }
    };
    const all = [...index.releases()];
    const near = all.filter((release) => release.namespace === namespace);
    const found = (await Promise.all(near.map(look))).flat();
    if (found.length > 0) return found;
    const isHeld = (release: ReleaseName): boolean => {
      const situation = situations.fromMemory(release, namespace);
      return situation.operation.state !== 'idle' || isFrozen(situation);
    };
    const elsewhere = all.filter((release) => release.namespace !== namespace && isHeld(release));
    return (await Promise.all(elsewhere.slice(0, MAX_ELSEWHERE).map(look))).flat();
  };

/**
 * Judges the creation and the deletion of an object that says it is a hook of an uninstall. It counts where the newest or the deployed revision of a
 * release lists it: Helm runs the hooks of the revision that was the newest when it began. One release of the user's own operation is enough for it to pass.
 */
export const reviewHook = async (
  dependencies: ReviewHookDependencies,
  review: Review,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  const { situations, index } = dependencies;
  const object = refOf(review);
  const found = await createFindListings(dependencies)(object, object.namespace);
  const judge = async (listing: Listing): Promise<Verdict> => {
    if (index.isFresh()) {
      const remembered = toVerdict(review, object, listing, situations.fromMemory(listing.release, listing.home));
      if (remembered.allowed && remembered.waived === undefined) return remembered;
    }
    return toVerdict(review, object, listing, await situations.live(listing.release, signal, listing.home));
  };
  let verdict: Verdict = allow('no hook of a release');
  for (const listing of found) {
    if ('unread' in listing) {
      const { namespace, name } = listing.unread;
      const problem = `whether it is a hook of the frozen release ${namespace}/${name} could not be read`;
      verdict = joinVerdicts(verdict, deny({ code: 'BelayUnavailable', problem }));
      continue;
    }
    const judged = await judge(listing);
    if (judged.allowed && judged.why === OF_OPERATION) return judged;
    verdict = joinVerdicts(verdict, judged);
  }
  return verdict;
};
