import type { KubernetesObject, ManagedFieldsEntry, ObjectMeta } from '../kubernetes/object.ts';
import type { OperationKind, RecordKind } from './names.ts';
import type { Text } from './text-memory.ts';

/** Helm's own statuses (helm.sh/helm/v4/pkg/release/common/status.go). */
export type HelmStatus =
  | 'unknown'
  | 'deployed'
  | 'uninstalled'
  | 'superseded'
  | 'failed'
  | 'uninstalling'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback';

const STATUSES: ReadonlySet<string> = new Set<HelmStatus>([
  'unknown',
  'deployed',
  'uninstalled',
  'superseded',
  'failed',
  'uninstalling',
  'pending-install',
  'pending-upgrade',
  'pending-rollback',
]);

/** One stored revision, read from its metadata. It never holds the payload. */
export interface ReleaseRecord {
  readonly kind: RecordKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly release: string;
  readonly revision: number;
  readonly status: HelmStatus;
  /** The `belay.dev/*` annotations; undefined where there is none, as on nearly every record. */
  readonly locks: Readonly<Record<string, string>> | undefined;
  /** Milliseconds since the epoch, of whole seconds. */
  readonly createdAtMs: number;
  /** The newest write that the metadata shows, milliseconds since the epoch. */
  readonly updatedAtMs: number;
}

export const LOCK_PREFIX = 'belay.dev/';

const RECORD_NAME = /^sh\.helm\.release\.v1\.(.+)\.v([1-9]\d{0,9})$/;

/** What the name of a record tells. */
export interface RecordName {
  readonly release: string;
  readonly revision: number;
}

/** `sh.helm.release.v1.web.v3` -> web, 3. A release's name may hold dots; the revision follows the last `.v`. */
export const parseRecordName = (name: string): RecordName | undefined => {
  const match = RECORD_NAME.exec(name);
  return match?.[1] === undefined ? undefined : { release: match[1], revision: Number(match[2]) };
};

export const recordName = (release: string, revision: number): string => `sh.helm.release.v1.${release}.v${revision}`;

const toStatus = (label: string | undefined): HelmStatus =>
  label !== undefined && STATUSES.has(label) ? (label as HelmStatus) : 'unknown';

/** The annotations under `belay.dev/`. */
export const locksIn = (annotations: ObjectMeta['annotations']): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => key.startsWith(LOCK_PREFIX)));

const pickLocks = (annotations: ObjectMeta['annotations']): ReleaseRecord['locks'] => {
  if (annotations === undefined) return undefined;
  const picked = locksIn(annotations);
  return Object.keys(picked).length === 0 ? undefined : picked;
};

const createdMs = ({ creationTimestamp }: ObjectMeta): number => Date.parse(creationTimestamp ?? '') || 0;

/**
 * When the payload was last written, in milliseconds since the epoch. Kubernetes stores no such time, so the newest of three counts:
 * the creation, Helm's label `modifiedAt` and the entries of `managedFields` (the latter two in seconds). The label alone will not do: it
 * goes stale and vanishes. Only entries that own the payload count: a person's annotation is no sign that the operation is alive.
 */
const lastWrittenMs = (metadata: ObjectMeta): number => {
  let newest = createdMs(metadata);
  const modified = Number(metadata.labels?.modifiedAt) * 1000;
  if (modified > newest) newest = modified;
  // The API server writes a list of entries. A request that comes straight to Belay's port may hold anything here.
  const entries: readonly ManagedFieldsEntry[] = Array.isArray(metadata.managedFields) ? metadata.managedFields : [];
  for (const entry of entries) {
    if (!entry || (entry.fieldsV1 && !Object.hasOwn(entry.fieldsV1, 'f:data'))) continue;
    const time = Date.parse(entry.time ?? '');
    if (time > newest) newest = time;
  }
  return newest;
};

/** Reads a record's metadata; undefined when its name is not that of a Helm record. `parsed` is the name, where it has been parsed already. */
export const toRecord = (
  kind: RecordKind,
  metadata: ObjectMeta | undefined,
  parsed = parseRecordName(metadata?.name ?? ''),
): ReleaseRecord | undefined => {
  if (metadata === undefined || parsed === undefined) return undefined;
  return {
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    release: parsed.release,
    revision: parsed.revision,
    status: toStatus(metadata.labels?.status),
    locks: pickLocks(metadata.annotations),
    createdAtMs: createdMs(metadata),
    updatedAtMs: lastWrittenMs(metadata),
  };
};

export const isPending = (status: HelmStatus): boolean => status.startsWith('pending-');

/** Whether an operation can be in flight with this status: pending or uninstalling. */
export const isUnfinished = (status: HelmStatus): boolean => isPending(status) || status === 'uninstalling';

/** The operation that sets a status while it runs; undefined for any other status. */
export const operationOf = (status: HelmStatus): OperationKind | undefined => {
  switch (status) {
    case 'pending-install':
      return 'install';
    case 'pending-upgrade':
      return 'upgrade';
    case 'pending-rollback':
      return 'rollback';
    case 'uninstalling':
      return 'uninstall';
    default:
      return undefined;
  }
};

/** The labels by which Helm finds its records. All other labels of a record belong to the user. */
export const SYSTEM_LABELS = ['owner', 'name', 'status', 'version'] as const;

/**
 * A payload as the object holds it: base64, encoded once in a ConfigMap and twice in a Secret. A long payload is bytes, one for each
 * character (admission/wire/read-review.ts); they are empty once the decoder has taken them.
 */
export type StoredPayload = string | Text;

/** The payload of a record; undefined when it has none. */
export const payloadOf = (object: KubernetesObject | undefined): StoredPayload | undefined => {
  const data = object?.data as { release?: unknown } | null | undefined;
  const release = data?.release;
  // Parsed JSON holds no bytes: they come from admission/wire/read-review.ts.
  return typeof release === 'string' || release instanceof Uint8Array ? (release as StoredPayload) : undefined;
};

/** Whether two payloads are equal. Throws where the decoder has taken the bytes of one. */
export const isSamePayload = (left: StoredPayload | undefined, right: StoredPayload | undefined): boolean => {
  if (left === undefined || right === undefined || (typeof left === 'string' && typeof right === 'string')) {
    return left === right;
  }
  const [a, b] = [left, right].map((payload) => (typeof payload === 'string' ? Buffer.from(payload) : payload));
  if (a === undefined || b === undefined || a.buffer.detached || b.buffer.detached) {
    throw new TypeError('a payload is compared that has been handed over');
  }
  return Buffer.compare(a, b) === 0;
};
