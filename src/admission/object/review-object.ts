import type { ReleaseName } from '../../helm/names.ts';
import type { ObjectRef } from '../../kubernetes/object.ts';
import type { Policy } from '../../policy/policy.ts';
import { ignoredPathsFor } from '../../policy/subjects.ts';
import { type DriftInput, findDrift } from '../../rules/drift/find-drift.ts';
import { gainsOwner } from '../../rules/drift/gains-owner.ts';
import { isUnchanged } from '../../rules/drift/is-unchanged.ts';
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

export type ReviewObjectDependencies = JudgeGovernedDependencies;

const ATTEMPTS = { CREATE: 'create', UPDATE: 'change', DELETE: 'delete', CONNECT: 'change' } as const;

const changesOf = (
  { object: after, oldObject: before, user }: Review,
  object: ObjectRef,
  owner: ReleaseName,
): Changes => {
  const names = { releaseName: owner.name, releaseNamespace: owner.namespace };
  const nothing = { isNone: () => false, find: () => [], gainsOwner: () => false, restarts: () => false };
  if (after === undefined) return { ...nothing, restores: () => false };
  if (before === undefined) {
    return {
      ...nothing,
      restores: (document, policy) => {
        const input = { document, after, group: object.group, kind: object.kind, ...names };
        if (restoresObject(input)) return true;
        const ignore = ignoredPathsFor(policy.drift.ignore, object);
        return scopeOf(policy, user.username) === 'ChartFields' && restoresChartFields({ ...input, ignore });
      },
    };
  }
  const inputOf = (document: Record<string, unknown>, policy: Policy): DriftInput => ({
    scope: scopeOf(policy, user.username),
    document,
    ...names,
    before,
    after,
    ignore: ignoredPathsFor(policy.drift.ignore, object),
  });
  return {
    isNone: () => isUnchanged(before, after),
    find: findOnce((document, policy) => findDrift(inputOf(document, policy))),
    restarts: (document, policy) => restartsPods(inputOf(document, policy)),
    gainsOwner: () => gainsOwner(before, after),
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
      { write, owner, user, dryRun, changes: changesOf(review, object, owner) },
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
