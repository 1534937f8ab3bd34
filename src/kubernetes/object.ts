/** An entry of `metadata.managedFields`. `fieldsV1` is the set of fields as the API server writes it (keys `f:`, `k:` and `v:`). */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: Record<string, unknown>;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
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

/** Any Kubernetes object of a review: untouched JSON, so that a rule sees what the API server saw. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
  readonly [field: string]: unknown;
}

/** An object as a list or a watch returns it. The items of a list name no kind. */
export interface ReflectedObject {
  readonly metadata?: ObjectMeta;
  readonly [field: string]: unknown;
}

/** The identity of an object, whatever the version in which it is read. */
export interface ObjectRef {
  readonly group: string;
  readonly kind: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
}

/** The type of an object: `apps`, `v1`, `Deployment`. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The part of the API that serves a type: `apps`, `v1`, `deployments`. */
export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** Controllers and pipelines run as service accounts; everybody else is a person. */
const SERVICE_ACCOUNT = 'system:serviceaccount:';

export const isServiceAccount = (username: string): boolean => username.startsWith(SERVICE_ACCOUNT);

/** The username of a service account. */
export const serviceAccountUser = (namespace: string, name: string): string => `${SERVICE_ACCOUNT}${namespace}:${name}`;

/** A user as the API server authenticated it. */
export interface UserInfo {
  readonly username: string;
  readonly groups: readonly string[];
  /** Attributes that the authenticator added. Authorizers other than RBAC may read them. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}
