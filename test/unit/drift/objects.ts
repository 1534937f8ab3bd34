import type { ReleaseRecord } from '../../../src/helm/record.ts';
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/kubernetes/object.ts';

/** Objects as the API server shows them, as far as the tests of drift need them. */

export const MARKS = { releaseName: 'web', releaseNamespace: 'shop' };

export const owned = (
  manager: string,
  fieldsV1: Record<string, unknown>,
  more: Partial<ManagedFieldsEntry> = {},
): ManagedFieldsEntry => ({ manager, operation: 'Update', time: '2026-01-01T10:00:00Z', fieldsV1, ...more });

const marks = {
  labels: { 'app.kubernetes.io/managed-by': 'Helm' },
  annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'shop' },
};

/** A live object of the release. */
export const live = (
  apiVersion: string,
  kind: string,
  content: object,
  managedFields: readonly ManagedFieldsEntry[] = [],
  annotations: Record<string, string> = {},
): KubernetesObject => ({
  apiVersion,
  kind,
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'u1',
    resourceVersion: '7',
    ...marks,
    annotations: { ...marks.annotations, ...annotations },
    managedFields,
  },
  ...content,
});

export const record = (over: Partial<ReleaseRecord> = {}): ReleaseRecord => ({
  kind: 'Secret',
  namespace: 'shop',
  name: 'sh.helm.release.v1.web.v1',
  uid: 'r1',
  resourceVersion: '1',
  release: 'web',
  revision: 1,
  status: 'deployed',
  locks: undefined,
  createdAtMs: 0,
  updatedAtMs: 0,
  ...over,
});
