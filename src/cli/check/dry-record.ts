import { gzipSync } from 'node:zlib';
import type { Chart, RecordKind, ReleaseName } from '../../helm/names.ts';
import type { Payload } from '../../helm/payload.ts';
import { type HelmStatus, type ReleaseRecord, recordName } from '../../helm/record.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';

/** Encodes a release as Helm does: JSON, gzip, base64. The data of a Secret is base64 once more. */
const encode = (payload: unknown, kind: RecordKind): string => {
  const stored = gzipSync(JSON.stringify(payload)).toString('base64');
  return kind === 'Secret' ? Buffer.from(stored).toString('base64') : stored;
};

export interface NewRevision {
  readonly release: ReleaseName;
  readonly kind: RecordKind;
  readonly revision: number;
  readonly status: HelmStatus;
  readonly chart: Chart;
  /** The namespace of the objects. */
  readonly namespace: string;
}

/** The record that an operation creates first. It has the fields that Belay reads, and no values, templates or manifest. */
export const newRecord = ({ release, kind, revision, status, chart, namespace }: NewRevision): KubernetesObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    name: recordName(release.name, revision),
    namespace: release.namespace,
    labels: {
      owner: 'helm',
      name: release.name,
      status,
      version: String(revision),
      createdAt: String(Math.floor(Date.now() / 1000)),
    },
  },
  ...(kind === 'Secret' && { type: 'helm.sh/release.v1' }),
  data: {
    release: encode(
      { name: release.name, namespace, version: revision, info: { status }, chart: { metadata: chart } },
      kind,
    ),
  },
});

/** The record that Helm writes first in an uninstall: the stored record with another status. */
export const uninstallingRecord = (
  object: KubernetesObject,
  payload: Payload,
  { kind }: ReleaseRecord,
): KubernetesObject => {
  const { metadata = {} } = object;
  const {
    resourceVersion: _resourceVersion,
    managedFields: _managedFields,
    annotations: _annotations,
    ...kept
  } = metadata;
  const nowMs = Date.now();
  const info = { ...payload.info, status: 'uninstalling', deleted: new Date(nowMs).toISOString() };
  return {
    ...object,
    metadata: {
      ...kept,
      labels: { ...metadata.labels, status: 'uninstalling', modifiedAt: String(Math.floor(nowMs / 1000)) },
    },
    data: { release: encode({ ...payload, info }, kind) },
  };
};
