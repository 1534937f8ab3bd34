import type { KindVersions } from '../../facts/kind-versions.ts';
import type { ReleaseName } from '../../helm/names.ts';
import type { KubernetesObject, ObjectRef } from '../../kubernetes/object.ts';
import type { Policy } from '../../policy/policy.ts';
import { isBuiltInGroup } from '../../rules/drift/built-in-groups.ts';
import { isSameOwnership } from '../../rules/drift/field-ownership.ts';
import { type DriftInput, findDrift } from '../../rules/drift/find-drift.ts';
import { findOwnershipDrift, findRestored } from '../../rules/drift/find-ownership.ts';
import { findPruned } from '../../rules/drift/find-pruned.ts';
import { gainsOwner } from '../../rules/drift/gains-owner.ts';
import { isUnchanged } from '../../rules/drift/is-unchanged.ts';
import { otherVersions, type KindVersions as VersionFacts } from '../../rules/drift/kind-versions.ts';
import { restartsPods } from '../../rules/drift/restarts-pods.ts';
import { restoresChartFields, restoresObject } from '../../rules/drift/restores-object.ts';
import { allow, type Verdict } from '../../rules/verdict.ts';
import { joinVerdicts } from '../join-verdicts.ts';
import type { RecognisedReview } from '../recognised-review.ts';
import type { AdmissionAnswer, Now } from '../wire/answer.ts';
import type { Deadline, Review } from '../wire/review.ts';
import { type Changes, findOnce, scopeOf } from './governed-write.ts';
import { type JudgeGovernedDependencies, judgeGoverned } from './judge-governed.ts';
import { refOf } from './ref-of.ts';

export interface ReviewObjectDependencies extends JudgeGovernedDependencies {
  readonly kindVersions: KindVersions;
}

const NO_DOCUMENT = {};
const ATTEMPTS = { CREATE: 'create', UPDATE: 'change', DELETE: 'delete', CONNECT: 'change' } as const;

const podLabelsOf = ({ spec }: KubernetesObject): Readonly<Record<string, string>> =>
  (spec as { selector?: { matchLabels?: Record<string, string> } } | undefined)?.selector?.matchLabels ?? {};

/** Answers the questions about a write of an object. It is long, because it has an answer to each question for each kind of write. */
const changesOf = (
  { kindVersions }: ReviewObjectDependencies,
  { kind, resource, object: after, oldObject: before, user }: Review,
  object: ObjectRef,
  owner: ReleaseName,
): Changes => {
  const names = { releaseName: owner.name, releaseNamespace: owner.namespace };
  const nothing = {
    prepare: () => undefined,
    isNone: () => false,
    find: () => [],
    restored: () => [],
    creator: () => undefined,
    gainsOwner: () => false,
    restarts: () => false,
  };
  if (after === undefined) return { ...nothing, restores: () => false };
  if (before === undefined) {
    return {
      ...nothing,
      creator: () => after.metadata?.managedFields?.[0]?.manager,
      restores: (document, policy, left) => {
        const input = { document, after, group: object.group, kind: object.kind, ...names };
        if (restoresObject(input)) return true;
        return scopeOf(policy, user.username) === 'ChartFields' && restoresChartFields({ ...input, ignore: left });
      },
    };
  }
  const asked = after.apiVersion ?? '';
  const isBuiltIn = isBuiltInGroup(object.group);
  let versions: VersionFacts | undefined;
  const inputOf = (document: Record<string, unknown>, policy: Policy, left: readonly string[]): DriftInput => ({
    scope: scopeOf(policy, user.username),
    document,
    ...names,
    before,
    after,
    ignore: left,
    versions,
  });
  return {
    prepare: (document, signal) => {
      const others = otherVersions(document, before, asked);
      if (others.length === 0 || (isBuiltIn && isSameOwnership(before, after))) return undefined;
      return kindVersions.read(kind, resource.resource, others, signal).then((read) => {
        versions = read;
      });
    },
    // In another version the API server may drop fields, also by a write that changes nothing.
    isNone: () => isUnchanged(before, after) && (isBuiltIn || otherVersions(NO_DOCUMENT, before, asked).length === 0),
    find: findOnce((document, policy, left) => [
      ...findDrift(inputOf(document, policy, left)),
      ...findPruned({ ...inputOf(document, policy, left), asked }),
      ...findOwnershipDrift(inputOf(document, policy, left)),
    ]),
    restored: (document, policy, left) => findRestored(inputOf(document, policy, left)),
    restarts: (document, policy, left) => restartsPods(inputOf(document, policy, left)),
    creator: () => undefined,
    gainsOwner: () => gainsOwner(before, after),
    podLabels: () => podLabelsOf(before),
    restores: () => false,
  };
};

/** Judges a write of an object that carries ownership marks, before or after. `owners` are the releases that the marks name. */
export const reviewObject = (
  dependencies: ReviewObjectDependencies,
  review: RecognisedReview,
  owners: readonly ReleaseName[],
  deadline: Deadline,
): Now<AdmissionAnswer> => {
  const { user, dryRun, operation } = review;
  const object = refOf(review);
  const judge = (owner: ReleaseName): Now<Verdict> => {
    const { endsDeletion } = review;
    const write = { release: owner, username: user.username, attempt: ATTEMPTS[operation], object, endsDeletion };
    return judgeGoverned(
      dependencies,
      { write, owner, user, dryRun, changes: changesOf(dependencies, review, object, owner) },
      deadline,
    );
  };
  const [owner, ...others] = owners;
  if (owner === undefined) return allow('no release');
  return others.reduce<Now<Verdict>>(
    async (first, other) => joinVerdicts(await first, await judge(other)),
    judge(owner),
  );
};
