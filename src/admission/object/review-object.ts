import type { ReleaseName } from '../../helm/names.ts';
import { ownerOf } from '../../helm/owner.ts';
import type { ObjectRef } from '../../kubernetes/object.ts';
import { ignoredPathsFor } from '../../policy/subjects.ts';
import { findDrift } from '../../rules/drift/find-drift.ts';
import { gainsOwner } from '../../rules/drift/gains-owner.ts';
import { isUnchanged } from '../../rules/drift/is-unchanged.ts';
import { restoresObject } from '../../rules/drift/restores-object.ts';
import type { ObjectWrite } from '../../rules/object.ts';
import { allow, type Verdict } from '../../rules/verdict.ts';
import type { ReviewDependencies } from '../dependencies.ts';
import type { AdmissionAnswer, Now } from '../wire/answer.ts';
import type { Deadline, Review } from '../wire/review.ts';
import { type Changes, scopeOf } from './governed-write.ts';
import { judgeGoverned, together } from './judge-governed.ts';

const ATTEMPTS = { CREATE: 'create', UPDATE: 'change', DELETE: 'delete', CONNECT: 'change' } as const;

const releasesOf = (review: Review): readonly ReleaseName[] => {
  const before = ownerOf(review.oldObject);
  const after = ownerOf(review.object);
  const isSame = before !== undefined && before.name === after?.name && before.namespace === after.namespace;
  return [before, isSame ? undefined : after].filter((release) => release !== undefined);
};

/** Judges a write of an object that carries ownership marks, before or after. */
export const reviewObject = (
  dependencies: ReviewDependencies,
  review: Review,
  deadline: Deadline,
): Now<AdmissionAnswer> => {
  const { object: after, oldObject: before, user } = review;
  const object: ObjectRef = {
    group: review.kind.group,
    kind: review.kind.kind,
    namespace: review.namespace,
    name: review.name,
  };
  const judge = (release: ReleaseName): Now<Verdict> => {
    const write: ObjectWrite = { release, username: user.username, attempt: ATTEMPTS[review.operation], object };
    const changes: Changes = {
      isNone: () => before !== undefined && after !== undefined && isUnchanged(before, after),
      find: (document, policy) =>
        before === undefined || after === undefined
          ? []
          : findDrift({
              scope: scopeOf(policy, user.username),
              document,
              releaseName: release.name,
              releaseNamespace: release.namespace,
              before,
              after,
              ignore: ignoredPathsFor(policy.drift.ignore, object),
            }),
      gainsOwner: () => before !== undefined && after !== undefined && gainsOwner(before, after),
      restores: (document) =>
        before === undefined &&
        after !== undefined &&
        restoresObject({
          ...{ document, after, group: object.group, kind: object.kind },
          ...{ releaseName: release.name, releaseNamespace: release.namespace },
        }),
    };
    return judgeGoverned(dependencies, { write, owner: release, user, dryRun: review.dryRun, changes }, deadline);
  };
  const [release, ...others] = releasesOf(review);
  if (release === undefined) return allow('no release');
  return others.reduce<Now<Verdict>>(async (first, other) => together(await first, await judge(other)), judge(release));
};
