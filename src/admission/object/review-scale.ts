import type { KindVersions } from '../../facts/kind-versions.ts';
import type { ReleaseName } from '../../helm/names.ts';
import { ownerOf } from '../../helm/owner.ts';
import { type Api, ApiError, pathOf } from '../../kubernetes/api.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { isOfCluster } from '../../policy/controllers.ts';
import type { Policy } from '../../policy/policy.ts';
import { isBuiltInGroup } from '../../rules/drift/built-in-groups.ts';
import { findPruned } from '../../rules/drift/find-pruned.ts';
import { findScaleDrift, findScaleRestored, type ScaleDriftInput } from '../../rules/drift/find-scale-drift.ts';
import { otherVersions, type KindVersions as VersionFacts } from '../../rules/drift/kind-versions.ts';
import { allow } from '../../rules/verdict.ts';
import type { AdmissionAnswer } from '../wire/answer.ts';
import type { Review } from '../wire/review.ts';
import { scopeOf } from './governed-write.ts';
import { type JudgeGovernedDependencies, judgeGoverned } from './judge-governed.ts';

export interface ReviewScaleDependencies extends JudgeGovernedDependencies {
  readonly api: Api;
  readonly kindVersions: KindVersions;
  /** The release of each scaled object is noted here. It is needed when the review cannot be judged in time. */
  readonly scaled: WeakMap<Review, ReleaseName>;
}

/** Zero replicas are not written at all: `omitempty` in k8s.io/api/autoscaling/v1 ScaleSpec. */
const replicasOf = (scale: KubernetesObject | undefined): number => {
  const replicas = (scale?.spec as { replicas?: unknown } | undefined)?.replicas;
  return typeof replicas === 'number' ? replicas : 0;
};

/**
 * Judges a write of `scale` as `/spec/replicas` of its parent. The review carries neither labels nor annotations, so the
 * parent is read. Where Belay has no right to read the parent, the write passes, and the audit log says so (manifests/README.md
 * tells how to grant the right for custom resources). The function is long, because a scale answers the questions of an object by two numbers.
 */
export const reviewScale = async (
  dependencies: ReviewScaleDependencies,
  review: Review,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  const beforeReplicas = replicasOf(review.oldObject);
  const afterReplicas = replicasOf(review.object);
  const { group, version, resource } = review.resource;
  // The API server may drop fields of a custom resource by a write in another version, also where the number stays.
  if (beforeReplicas === afterReplicas && isBuiltInGroup(group)) return allow('unchanged');
  // An autoscaler of a cloud, as that of kube-system, of which Belay is not even asked (manifests/base/validating-webhooks.yaml).
  if (isOfCluster(review.user.username)) return allow('of the cluster');
  const root = group === '' ? ['api', version] : ['apis', group, version];
  let parent: KubernetesObject;
  try {
    parent = await dependencies.api.request<KubernetesObject>({
      path: pathOf(...root, 'namespaces', review.namespace, resource, review.name),
      signal,
    });
  } catch (error) {
    const isHidden = error instanceof ApiError && (error.status === 403 || error.status === 404);
    if (!isHidden) throw error;
    return { allowed: true, why: 'parent not readable', audit: { unchecked: 'Belay may not read the scaled object' } };
  }
  const release = ownerOf(parent);
  if (release === undefined) return allow('no release');
  dependencies.scaled.set(review, release);
  const { user } = review;
  const object = { group, kind: parent.kind ?? '', namespace: review.namespace, name: review.name };
  const inputOf = (document: Record<string, unknown>, policy: Policy, left: readonly string[]): ScaleDriftInput => ({
    scope: scopeOf(policy, user.username),
    document,
    beforeReplicas,
    afterReplicas,
    ignore: left,
  });
  const asked = `${group}/${version}`;
  let versions: VersionFacts | undefined;
  return judgeGoverned(
    dependencies,
    {
      write: { release, username: user.username, attempt: 'scale', object },
      owner: release,
      user,
      dryRun: review.dryRun,
      changes: {
        prepare: (document, reading) => {
          const others = isBuiltInGroup(group) ? [] : otherVersions(document, parent, asked);
          if (others.length === 0) return undefined;
          const kind = { group, version, kind: object.kind };
          return dependencies.kindVersions.read(kind, resource, others, reading).then((read) => {
            versions = read;
          });
        },
        isNone: () => beforeReplicas === afterReplicas && otherVersions({}, parent, asked).length === 0,
        gainsOwner: () => false,
        restarts: () => false,
        restores: () => false,
        restored: (document, policy, left) => findScaleRestored(parent, inputOf(document, policy, left), user.username),
        creator: () => undefined,
        find: (document, policy, left) => [
          ...findScaleDrift(inputOf(document, policy, left)),
          ...findPruned({ ...inputOf(document, policy, left), before: parent, asked, versions }),
        ],
      },
    },
    { signal },
  );
};
