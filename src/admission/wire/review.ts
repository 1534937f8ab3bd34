import type { GroupVersionKind, GroupVersionResource, KubernetesObject, UserInfo } from '../../kubernetes/object.ts';
/** The parts of an AdmissionReview (admission.k8s.io/v1) that Belay judges, parsed once at the edge. */

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** One question of the API server. A deletecollection has no name: then `name` is the name of the object. */
export interface Review {
  readonly uid: string;
  readonly operation: Operation;
  readonly kind: GroupVersionKind;
  readonly resource: GroupVersionResource;
  /** `scale`, `status`, ...; empty for the main resource. */
  readonly subResource: string;
  /** Empty for cluster-scoped objects. For a Namespace the API server fills in the namespace's own name. */
  readonly namespace: string;
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** Absent on DELETE. */
  readonly object: KubernetesObject | undefined;
  /** Absent on CREATE. */
  readonly oldObject: KubernetesObject | undefined;
}

/** `signal` fires when the review has to be answered. It is made when it is first asked for. */
export interface Deadline {
  readonly signal: AbortSignal;
}
