import { isServiceAccount } from '../kubernetes/object.ts';

/** Names under `system:` that people have: somebody without a name, and the administrator of OpenShift and k3s. `system:masters` is a group. */
const PEOPLE: ReadonlySet<string> = new Set(['system:anonymous', 'system:admin', 'system:masters']);

/**
 * Whether a user is a part of the cluster that is no service account, such as `system:vpa-recommender`, which runs GKE's autoscaler of Pods.
 * Kubernetes keeps the prefix to itself: who authenticates users must not hand it out.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects
 */
export const isOfCluster = (username: string): boolean =>
  username.startsWith('system:') && !isServiceAccount(username) && !PEOPLE.has(username);

/**
 * Whether a user is a controller, and no person: a service account, a part of the cluster, or one of the users `eks:*` by which AWS looks after
 * its clusters.
 */
export const isController = (username: string): boolean =>
  isServiceAccount(username) || isOfCluster(username) || username.startsWith('eks:');
