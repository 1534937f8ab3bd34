import type { Chart, OperationKind, RecordKind, RecordRef, ReleaseName } from '../helm/names.ts';
import type { ObjectRef } from '../kubernetes/object.ts';
import type { Freeze, LockSource, LockVerb, Pin } from '../policy/lock.ts';
import type { Resembling } from '../policy/presets/resembling.ts';

/** The operation that holds a release. `holder` is undefined when it began before Belay was installed. */
export interface InFlight {
  readonly operation: OperationKind;
  readonly revision: number;
  readonly holder: string | undefined;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When it counts as stale without another sign of life, milliseconds since the epoch. */
  readonly staleAtMs: number;
  /** The record that shows it; undefined while only the claim does. */
  readonly record: RecordRef | undefined;
}

/** Who owns a field, as an entry of `managedFields` names it. */
export interface FieldOwner {
  readonly manager: string;
  /** Apply or Update. */
  readonly operation: string;
  readonly apiVersion: string;
  readonly subresource?: string;
}

/** One changed field. Its values are JSON, and `undefined` where the field is absent. A value that is `secret` is never shown. */
export interface FieldChange {
  /** For people: `spec.template.spec.containers[web].image`. */
  readonly path: string;
  /** JSON Pointer (RFC 6901) into the new object, or into the old object where the field is gone. */
  readonly pointer: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly secret: boolean;
  /** Where the version of the request does not have the field, and the API server drops it: that version, and the chart's. */
  readonly lost?: { readonly asked: string; readonly chart: string };
  /** Where the field keeps its value, and its owners change. */
  readonly owners?: { readonly before: readonly FieldOwner[]; readonly after: readonly FieldOwner[] };
}

export interface GoverningRevision {
  readonly revision: number;
  readonly chart: string;
}

export type Attempt =
  | OperationKind
  | 'change'
  | 'delete'
  | 'create'
  | 'scale'
  | 'record edit'
  | 'record delete'
  | 'namespace delete';

/**
 * Why a write is refused, as facts. Only `admission/explain/message.ts` makes words for people from it.
 */
export type Denial =
  | {
      readonly code: 'BelayOperationInFlight';
      readonly release: ReleaseName;
      readonly attempt: Attempt;
      readonly inFlight: InFlight;
      readonly object?: ObjectRef;
      /** Whether the object is a hook of an uninstall. */
      readonly isHook?: true;
      /** Whether the operation in flight is the writer's own, and an uninstall by the same user was refused since it began. */
      readonly ofRefusedUninstall?: true;
    }
  | {
      readonly code: 'BelayFrozen';
      readonly release: ReleaseName;
      readonly attempt: Attempt;
      readonly freezes: readonly Freeze[];
      readonly object?: ObjectRef;
      /**
       * The labels by which the workload chooses its Pods, where the change is a restart of them, as by `kubectl rollout restart`, and no other
       * change of desired state.
       */
      readonly restartOf?: Readonly<Record<string, string>>;
      /** Whether the policy would let the write pass if the release were not frozen. */
      readonly passesUnfrozen?: boolean;
      /** Whether the object is being deleted already, and the write takes its last finalizer off. */
      readonly endsDeletion?: true;
      /** Whether the object is a hook of an uninstall. */
      readonly isHook?: true;
    }
  | {
      readonly code: 'BelayDrift';
      readonly release: ReleaseName;
      readonly attempt: 'change' | 'delete' | 'create' | 'scale';
      readonly object: ObjectRef;
      readonly governing: GoverningRevision;
      readonly recordKind: RecordKind;
      readonly changes: readonly FieldChange[];
      /** Both as in `BelayFrozen`. */
      readonly endsDeletion?: true;
      readonly isHook?: true;
      /** A preset that would let the writer do so, where the writer looks like a controller that is known. */
      readonly preset?: Resembling & { readonly policy: string | undefined };
    }
  | {
      readonly code: 'BelayPinned';
      readonly release: ReleaseName;
      readonly attempt: OperationKind;
      readonly chart: Chart;
      readonly deployed: Chart | undefined;
      /** Another chart, a version outside the range, or a version that is not SemVer. */
      readonly problem: 'chart' | 'version' | 'unreadable';
      /** The pins that the operation breaks. */
      readonly pins: readonly Pin[];
    }
  | {
      readonly code: 'BelayDowngrade';
      readonly release: ReleaseName;
      readonly attempt: OperationKind;
      readonly chart: Chart;
      readonly deployed: Chart;
      readonly sources: readonly LockSource[];
    }
  | {
      readonly code: 'BelayFenced';
      readonly release: ReleaseName;
      readonly revision: number;
      readonly overtakenBy: number;
      readonly holder: string | undefined;
    }
  | {
      readonly code: 'BelayRecordProtected';
      readonly release: ReleaseName;
      readonly record: RecordRef;
      readonly problem: string;
      readonly remedy: string;
      /** Whether the client does not show why such a write was refused, and goes on. */
      readonly isSwallowed?: boolean;
    }
  | {
      readonly code: 'BelayBadLock';
      readonly source: LockSource;
      readonly annotation: string;
      readonly problem: string;
      readonly remedy: string;
    }
  | {
      readonly code: 'BelayBadPolicy';
      /** The policy's name. */
      readonly policy: string;
      /** Every field that cannot be read, as a path such as `spec.freeze.windows[0].schedule`. */
      readonly problems: readonly { readonly field: string; readonly problem: string }[];
    }
  | {
      readonly code: 'BelayLockForbidden';
      readonly release: ReleaseName;
      readonly source: LockSource;
      readonly user: string;
      readonly verb: LockVerb;
      readonly annotations: readonly string[];
      /** Who wrote the freeze that the change gives another reason; empty when that is not known. */
      readonly replacesFreezeOf?: string | undefined;
    }
  | {
      readonly code: 'BelayClaimGuarded';
      readonly lease: string;
      readonly namespace: string;
      readonly inFlight: InFlight | undefined;
    }
  | { readonly code: 'BelayUnavailable'; readonly problem: string };

export type DenialCode = Denial['code'];

/** A refusal that the policy does not enforce. It is shown as a warning, or only noted in the audit log. */
export interface Waived {
  readonly action: 'Warn' | 'Audit';
  readonly denial: Denial;
  /** Whether the write passes only because it is a dry run. */
  readonly isRehearsal?: boolean;
}

/** Why a write that passed is worth an Event. */
export type NoteReason =
  | 'OpenWindowUsed'
  | 'OperationBroken'
  | 'OperationTakenOver'
  | 'ReleaseLocked'
  | 'ReleaseUnlocked'
  | 'ReleaseOpened';

export interface Note {
  readonly reason: NoteReason;
  /** For people. It is not escaped: the code that shows it has to. */
  readonly text: string;
}

/** What a rule answers. `why` is a short fixed text for logs and metrics, which a caller never controls. */
export type Verdict =
  | {
      readonly allowed: true;
      readonly why: string;
      readonly warnings?: readonly string[];
      readonly audit?: Readonly<Record<string, string>>;
      /** The refusals that the policy does not enforce. */
      readonly waived?: readonly Waived[];
      /** The release that `notes` are about. */
      readonly release?: ReleaseName;
      readonly notes?: readonly Note[];
    }
  | { readonly allowed: false; readonly denial: Denial };

export const allow = (why: string): Verdict => ({ allowed: true, why });

export const deny = (denial: Denial): Verdict => ({ allowed: false, denial });
