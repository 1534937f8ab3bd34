import type { Chart, OperationKind, RecordKind, RecordRef, ReleaseName } from '../helm/names.ts';
import type { ObjectRef } from '../kubernetes/object.ts';
import type { Freeze, LockSource, LockVerb, Pin } from '../policy/lock.ts';
/**
 * What a rule answers. A denial is a value that carries the facts; the words for people are made of it in
 * `admission/message.ts` and nowhere else.
 */

/** The operation that holds a release. `holder` is undefined when it began before Belay was there to see it. */
export interface InFlight {
  readonly operation: OperationKind;
  readonly revision: number;
  readonly holder: string | undefined;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When it counts as stale if nothing is heard of it until then, milliseconds since the epoch. */
  readonly staleAtMs: number;
  /** The record (or, before that has appeared, only the claim) that shows it. */
  readonly record: RecordRef | undefined;
}

/** One changed field. Values are JSON; `undefined` means absent. `secret` values are never to be shown. */
export interface FieldChange {
  /** For people: `spec.template.spec.containers[web].image`. */
  readonly path: string;
  /** JSON Pointer (RFC 6901) into the new object, or into the old one where the field is gone. */
  readonly pointer: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly secret: boolean;
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

export type Denial =
  | {
      readonly code: 'BelayOperationInFlight';
      readonly release: ReleaseName;
      readonly attempt: Attempt;
      readonly inFlight: InFlight;
      readonly object?: ObjectRef;
    }
  | {
      readonly code: 'BelayFrozen';
      readonly release: ReleaseName;
      readonly attempt: Attempt;
      readonly freezes: readonly Freeze[];
      readonly object?: ObjectRef;
    }
  | {
      readonly code: 'BelayDrift';
      readonly release: ReleaseName;
      readonly attempt: 'change' | 'delete' | 'create' | 'scale';
      readonly object: ObjectRef;
      readonly governing: GoverningRevision;
      readonly recordKind: RecordKind;
      readonly changes: readonly FieldChange[];
    }
  | {
      readonly code: 'BelayPinned';
      readonly release: ReleaseName;
      readonly attempt: OperationKind;
      readonly chart: Chart;
      readonly deployed: Chart | undefined;
      /** Another chart; a version outside; a version that is not SemVer. */
      readonly problem: 'chart' | 'version' | 'unreadable';
      /** The pins that it breaks. */
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
    }
  | {
      readonly code: 'BelayClaimGuarded';
      readonly lease: string;
      readonly namespace: string;
      readonly inFlight: InFlight | undefined;
    }
  | { readonly code: 'BelayUnavailable'; readonly problem: string };

export type DenialCode = Denial['code'];

/** A refusal that the policy does not enforce: it is told as a warning, or kept for the audit log alone. */
export interface Waived {
  readonly action: 'Warn' | 'Audit';
  readonly denial: Denial;
}

/** What is worth an Event although it passed. */
export type NoteReason =
  | 'OpenWindowUsed'
  | 'OperationBroken'
  | 'OperationTakenOver'
  | 'ReleaseLocked'
  | 'ReleaseUnlocked'
  | 'ReleaseOpened';

export interface Note {
  readonly reason: NoteReason;
  /** For people, and escaped by whoever shows it. */
  readonly text: string;
}

/** `why` is a short fixed word for logs and metrics, never caller-controlled. */
export type Verdict =
  | {
      readonly allowed: true;
      readonly why: string;
      readonly warnings?: readonly string[];
      readonly audit?: Readonly<Record<string, string>>;
      /** What the rules refuse and the policy lets pass. */
      readonly waived?: readonly Waived[];
      /** The release that `notes` are about. */
      readonly release?: ReleaseName;
      readonly notes?: readonly Note[];
    }
  | { readonly allowed: false; readonly denial: Denial };

export const allow = (why: string): Verdict => ({ allowed: true, why });

export const deny = (denial: Denial): Verdict => ({ allowed: false, denial });
