/** The parts of an AdmissionReview (admission.k8s.io/v1) that Belay judges, parsed once at the edge. */

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** An entry of `metadata.managedFields`; `fieldsV1` is the set as the API server writes it (`f:`, `k:`, `v:` keys). */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: Record<string, unknown>;
}

export interface ObjectMeta {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly ManagedFieldsEntry[];
  readonly [field: string]: unknown;
}

/** Any Kubernetes object as it stands in a review: untouched JSON, so that rules see what the API server saw. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
  readonly [field: string]: unknown;
}

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface UserInfo {
  readonly username: string;
  readonly groups: readonly string[];
  /** What the authenticator added; authorizers other than RBAC may look at it. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** One question of the API server. `name` falls back to the object's own: a deletecollection carries none. */
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

/** When a review has to be answered: `signal` fires then. Made only when somebody asks for it. */
export interface Deadline {
  readonly signal: AbortSignal;
}
