import type { Api } from '../kubernetes/api.ts';
import type { UserInfo } from '../kubernetes/object.ts';
import type { LockVerb } from '../policy/lock.ts';

/** Asks RBAC whether a user may lock, unlock, open or break a release (the virtual resource `releases.belay.dev`). */
export interface Access {
  /** An empty `release` stands for all releases of the namespace. Rejects with ApiError when the API server does not answer. */
  may(user: UserInfo, verb: LockVerb, namespace: string, release: string, signal: AbortSignal): Promise<boolean>;
}

export const createAccess = (api: Api): Access => ({
  may: async (user, verb, namespace, release, signal) => {
    const answer = await api.request<{ status?: { allowed?: boolean; denied?: boolean } }>({
      method: 'POST',
      repeatable: true,
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: user.username,
          groups: user.groups,
          ...(user.extra === undefined ? {} : { extra: user.extra }),
          resourceAttributes: { group: 'belay.dev', resource: 'releases', verb, namespace, name: release },
        },
      },
      signal,
    });
    return answer.status?.allowed === true && answer.status.denied !== true;
  },
});

/** Whether Belay may sweep. The right `sweep` switches the sweep on: manifests/overlays/drift grants it together with the rights to read objects. */
export const mayISweep = async (api: Api, signal: AbortSignal): Promise<boolean> => {
  const answer = await api.request<{ status?: { allowed?: boolean } }>({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { group: 'belay.dev', resource: 'releases', verb: 'sweep' } },
    },
    signal,
  });
  return answer.status?.allowed === true;
};
