import { microTime } from '../../kubernetes/lease.ts';

/**
 * The Lease `belay-lock.<release>`, by which the users of `helm lock` take turns. It names the holder, and has the queue in an annotation.
 * Users write it, while only Belay writes the claim `belay.<release>`.
 */

const QUEUE = 'belay.dev/lock-queue';
const HOLDER = 'belay.dev/lock-holder';
const LEFT = 'belay.dev/lock-left';

/**
 * Longest queue. An entry takes about 200 bytes, all annotations of an object together may take 256 KiB
 * (k8s.io/apimachinery/pkg/api/validation: TotalAnnotationSizeLimitB), and each heartbeat rewrites the whole queue.
 */
export const MAX_WAITERS = 200;

/** The holder or a waiter, as the Lease shows it to others. */
export interface Party {
  /** Unique per process. */
  readonly id: string;
  /** `upgrade` */
  readonly operation: string;
  /** By the clock of that process; for people only. */
  readonly sinceMs: number;
}

export interface Holder extends Party {
  /** How long the holder's Helm waits for a single step (`--timeout`). */
  readonly stepMs: number;
  /** Changes with every renewal. */
  readonly beat: string;
  /** How long the holder may be silent before it counts as gone. Undefined: the Lease does not say. */
  readonly silenceMs: number | undefined;
}

export interface Waiter extends Party {
  /** Changes with every heartbeat. */
  readonly beat: string;
}

/** A note on an operation that did not end properly. */
export interface Leftover {
  readonly id: string;
  readonly operation: string;
  readonly stepMs: number;
  /** `ended`: its Helm has ended. `vanished`: its Helm may still run. */
  readonly how: 'ended' | 'vanished';
  /** The unfinished revision. It is known only if Helm has ended. */
  readonly revision?: number | undefined;
}

export interface LockState {
  readonly holder: Holder | undefined;
  /** First come, first served. */
  readonly queue: readonly Waiter[];
  readonly left: Leftover | undefined;
}

export const EMPTY: LockState = { holder: undefined, queue: [], left: undefined };

/** The fields of a stored Lease that are read here. */
export interface StoredLease {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
    readonly leaseTransitions?: number;
  };
}

export const lockLeaseName = (release: string): string => `belay-lock.${release}`;

const parse = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // somebody edited the annotation: it is ignored
  }
};

const isParty = (value: unknown): value is Party & Record<string, unknown> => {
  const { id, operation, sinceMs } = (value ?? {}) as Record<string, unknown>;
  return typeof id === 'string' && typeof operation === 'string' && typeof sinceMs === 'number';
};

const isWaiter = (value: unknown): value is Waiter => isParty(value) && typeof value.beat === 'string';

const isLeft = (value: unknown): value is Leftover => {
  const { id, operation, stepMs, how } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof id === 'string' &&
    typeof operation === 'string' &&
    typeof stepMs === 'number' &&
    (how === 'ended' || how === 'vanished')
  );
};

/** The default of Helm's --timeout, which limits each step. */
export const DEFAULT_STEP_MS = 300_000;

export const readLock = ({ metadata, spec }: StoredLease): LockState => {
  const annotations = metadata.annotations ?? {};
  const queue = parse(annotations[QUEUE]);
  const told = parse(annotations[HOLDER]);
  const left = parse(annotations[LEFT]);
  const id = spec?.holderIdentity;
  const known = isParty(told) && told.id === id ? told : undefined;
  return {
    holder: id
      ? {
          id,
          operation: known?.operation ?? 'something',
          sinceMs: known?.sinceMs ?? Number.NaN,
          stepMs: typeof known?.stepMs === 'number' ? known.stepMs : DEFAULT_STEP_MS,
          beat: spec?.renewTime ?? '',
          silenceMs: spec?.leaseDurationSeconds === undefined ? undefined : spec.leaseDurationSeconds * 1000,
        }
      : undefined,
    queue: Array.isArray(queue) ? queue.filter(isWaiter).slice(0, MAX_WAITERS) : [],
    left: isLeft(left) ? left : undefined,
  };
};

export interface LeaseTarget {
  readonly namespace: string;
  readonly release: string;
}

/** The body of a write. With `previous`, the write is a compare-and-swap. */
export const toLockLease = (
  { namespace, release }: LeaseTarget,
  { holder, queue, left }: LockState,
  previous: StoredLease | undefined,
): Record<string, unknown> => {
  const before = previous?.spec?.holderIdentity;
  const transitions = previous?.spec?.leaseTransitions ?? 0;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: lockLeaseName(release),
      namespace,
      ...(previous && { resourceVersion: previous.metadata.resourceVersion }),
      labels: { 'app.kubernetes.io/managed-by': 'belay-lock' },
      annotations: {
        ...(queue.length > 0 && { [QUEUE]: JSON.stringify(queue) }),
        ...(holder && {
          [HOLDER]: JSON.stringify({
            id: holder.id,
            operation: holder.operation,
            sinceMs: holder.sinceMs,
            stepMs: holder.stepMs,
          }),
        }),
        ...(left && { [LEFT]: JSON.stringify(left) }),
      },
    },
    spec: {
      ...(holder && {
        holderIdentity: holder.id,
        acquireTime: microTime(holder.sinceMs),
        renewTime: holder.beat,
        ...(holder.silenceMs !== undefined && { leaseDurationSeconds: holder.silenceMs / 1000 }),
      }),
      leaseTransitions: holder !== undefined && holder.id !== before ? transitions + 1 : transitions,
    },
  };
};
