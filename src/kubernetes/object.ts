export interface ObjectRef {
  readonly group: string;
  readonly kind: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
}

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

export interface UserInfo {
  readonly username: string;
  readonly groups: readonly string[];
  /** What the authenticator added; authorizers other than RBAC may look at it. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ReflectedObject {
  readonly metadata?: ObjectMeta;
  readonly [field: string]: unknown;
}
