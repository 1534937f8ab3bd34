import type { OperationKind, RecordKind, ReleaseName } from '../helm/names.ts';
import { type LeaseSpec, microTime } from '../kubernetes/lease.ts';
import type { ReflectedObject } from '../kubernetes/object.ts';
import type { Claim } from '../rules/in-flight.ts';

/** The label by which the API server picks claims out of all Leases for the webhook that guards them. */
export const CLAIM_LABEL = 'belay.dev/claim';
export const CLAIM_SELECTOR = `${CLAIM_LABEL}=true`;

const OPERATION = 'belay.dev/operation';
const REVISION = 'belay.dev/revision';
const REQUEST_UID = 'belay.dev/request-uid';
const RECORD_VERSION = 'belay.dev/record-version';
const STORAGE = 'belay.dev/storage';
/** A JSON list of usernames, written beside a claim. The next claim is written without it. */
export const UNINSTALL_REFUSED = 'belay.dev/uninstall-refused';

const OPERATIONS: ReadonlySet<string> = new Set<OperationKind>(['install', 'upgrade', 'rollback', 'uninstall']);

export const leaseName = (release: string): string => `belay.${release}`;

export const releaseOfLease = (lease: string): string | undefined =>
  lease.startsWith('belay.') ? lease.slice('belay.'.length) : undefined;

const toStorage = (text: string | undefined): RecordKind | undefined =>
  text === 'Secret' || text === 'ConfigMap' ? text : undefined;

const toUsernames = (text: string | undefined): readonly string[] | undefined => {
  if (text === undefined) return undefined;
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : undefined;
  } catch {
    return undefined;
  }
};

/** Reads a claim. Undefined for a Lease that Belay did not write, or whose marks somebody has removed: such a Lease claims nothing. */
export const readClaim = (lease: ReflectedObject): { release: ReleaseName; claim: Claim } | undefined => {
  const { metadata } = lease;
  const spec = lease.spec as LeaseSpec | undefined;
  const name = releaseOfLease(metadata?.name ?? '');
  const operation = metadata?.annotations?.[OPERATION] ?? '';
  const revision = Number(metadata?.annotations?.[REVISION]);
  if (metadata === undefined || name === undefined || metadata.labels?.[CLAIM_LABEL] !== 'true') return undefined;
  if (!OPERATIONS.has(operation) || !Number.isSafeInteger(revision) || spec?.holderIdentity === undefined)
    return undefined;
  const acquiredAtMs = Date.parse(spec.acquireTime ?? '') || 0;
  return {
    release: { namespace: metadata.namespace ?? '', name },
    claim: {
      resourceVersion: metadata.resourceVersion ?? '',
      holder: spec.holderIdentity,
      operation: operation as OperationKind,
      revision,
      acquiredAtMs,
      renewedAtMs: Math.max(acquiredAtMs, Date.parse(spec.renewTime ?? '') || 0),
      silenceMs: typeof spec.leaseDurationSeconds === 'number' ? spec.leaseDurationSeconds * 1000 : undefined,
      recordVersion: metadata.annotations?.[RECORD_VERSION],
      storage: toStorage(metadata.annotations?.[STORAGE]),
      uninstallRefused: toUsernames(metadata.annotations?.[UNINSTALL_REFUSED]),
    },
  };
};

/** An admitted operation, and who runs it. */
export interface Admission {
  readonly release: ReleaseName;
  readonly holder: string;
  readonly operation: OperationKind;
  readonly revision: number;
  readonly requestUid: string;
  /** For an uninstall: the record's resourceVersion before its start. For an operation whose record was deleted: the one of that record. */
  readonly recordVersion: string | undefined;
  /** The kind of the records that the operation writes. */
  readonly storage: RecordKind;
}

export interface ClaimBody extends Admission {
  readonly nowMs: number;
  readonly staleAfterMs: number;
  /** The Lease that this claim replaces. Its resourceVersion makes the write a compare-and-swap. */
  readonly previous: { readonly resourceVersion: string; readonly transitions: number } | undefined;
}

export const toLease = (body: ClaimBody): Record<string, unknown> => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {
    name: leaseName(body.release.name),
    namespace: body.release.namespace,
    ...(body.previous === undefined ? {} : { resourceVersion: body.previous.resourceVersion }),
    labels: {
      [CLAIM_LABEL]: 'true',
      'app.kubernetes.io/managed-by': 'belay',
      // A claim that is restored from a backup says nothing about the cluster that it comes to.
      'velero.io/exclude-from-backup': 'true',
    },
    annotations: {
      [OPERATION]: body.operation,
      [REVISION]: String(body.revision),
      [REQUEST_UID]: body.requestUid,
      [STORAGE]: body.storage,
      ...(body.recordVersion === undefined ? {} : { [RECORD_VERSION]: body.recordVersion }),
    },
  },
  spec: {
    holderIdentity: body.holder,
    acquireTime: microTime(body.nowMs),
    renewTime: microTime(body.nowMs),
    // The number is rounded up. It is read back as Claim.silenceMs, and must not be shorter than the policy's time.
    leaseDurationSeconds: Math.max(1, Math.ceil(body.staleAfterMs / 1000)),
    leaseTransitions: (body.previous?.transitions ?? -1) + 1,
  },
});
