import { type Api, isConflict, isNotFound, pathOf } from './api.ts';
import type { ReflectedObject } from './object.ts';

/** A Lease of coordination.k8s.io/v1, as far as it is read here. */
export interface Lease extends ReflectedObject {
  readonly spec?: LeaseSpec;
}

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseDurationSeconds?: number;
  readonly leaseTransitions?: number;
}

export interface LeaseName {
  readonly namespace: string;
  readonly name: string;
}

/** metav1.MicroTime wants six digits. */
export const microTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000Z`;

/** The Leases of one namespace; of all namespaces where it is undefined. */
export const leasesPath = (namespace: string | undefined): string =>
  pathOf('apis', 'coordination.k8s.io', 'v1', ...(namespace === undefined ? [] : ['namespaces', namespace]), 'leases');

export const leasePath = ({ namespace, name }: LeaseName): string => leasesPath(namespace) + pathOf(name);

/** Undefined when there is none. */
export const readLease = async <T extends object = Lease>(
  api: Api,
  lease: LeaseName,
  signal?: AbortSignal,
): Promise<T | undefined> => {
  try {
    return await api.request<T>({ path: leasePath(lease), ...(signal && { signal }) });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

export interface LeaseWrite {
  readonly lease: LeaseName;
  /** The whole Lease. Where one was read before, the body has its resourceVersion. */
  readonly body: object;
  /** Whether there was no Lease when it was read. */
  readonly isNew: boolean;
  readonly signal?: AbortSignal;
}

/**
 * A compare-and-swap. Resolves to undefined when somebody else has created, written or deleted the Lease since it was read. Rejects with a 404
 * when the namespace of a new Lease does not exist.
 */
export const writeLease = async <T extends object = Lease>(
  api: Api,
  { lease, body, isNew, signal }: LeaseWrite,
): Promise<T | undefined> => {
  try {
    return await api.request<T>({
      ...(isNew ? { method: 'POST', path: leasesPath(lease.namespace) } : { method: 'PUT', path: leasePath(lease) }),
      body,
      ...(signal && { signal }),
    });
  } catch (error) {
    if (isConflict(error) || (!isNew && isNotFound(error))) return undefined;
    throw error;
  }
};

/** False when somebody has written the Lease since it was read. True when it is gone, whoever deleted it. */
export const deleteLease = async (
  api: Api,
  lease: LeaseName,
  preconditions: { readonly resourceVersion: string; readonly uid?: string },
  signal?: AbortSignal,
): Promise<boolean> => {
  try {
    await api.request({
      method: 'DELETE',
      path: leasePath(lease),
      body: { preconditions },
      ...(signal && { signal }),
    });
    return true;
  } catch (error) {
    if (isNotFound(error)) return true;
    if (isConflict(error)) return false;
    throw error;
  }
};
