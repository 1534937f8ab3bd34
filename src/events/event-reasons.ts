import type { DenialCode } from '../rules/verdict.ts';

/** Every reason that an Event of Belay may have, with its meaning. The table in the docs is made from this. */
export const EVENT_REASONS = {
  OperationRefused: 'An operation, or a write that disturbs one, was refused because another operation is in flight.',
  FrozenWriteRefused: 'A write was refused because the release is frozen.',
  DriftRefused: 'A change by hand of an object that a release manages was refused.',
  PinnedVersionRefused: 'An operation was refused because its chart, or its chart version, is outside the pin.',
  DowngradeRefused: 'An operation was refused because it goes below the deployed chart version.',
  StaleWriterFenced: 'A write of an operation that another one has overtaken was refused.',
  RecordWriteRefused: "A write that would forge, lose or repurpose one of Helm's records was refused.",
  LockRefused: 'A lock was refused: it is malformed, or written by somebody who may not.',
  ClaimWriteRefused: 'A write of the Lease by which Belay tells operations apart was refused.',
  RefusalWarned: 'A write passed that a rule refuses, with a warning: the action of the policy is Warn.',
  RefusalAudited: 'A write passed that a rule refuses, unseen by its writer: the action of the policy is Audit.',
  OpenWindowUsed: 'An object was changed by hand while its release was open.',
  OperationBroken: 'Somebody declared the operation in flight dead.',
  OperationTakenOver: 'An operation began over one that was stale or broken.',
  ReleaseLocked: 'Somebody locked the release, or made its lock stronger.',
  ReleaseUnlocked: 'Somebody lifted a lock of the release, or made it weaker.',
  ReleaseOpened: 'Somebody opened the release to changes by hand.',
  DriftDetected:
    'The sweep has found objects that are not as the chart has them: the fields, who wrote them, and when.',
  DriftResolved: 'Every object of the release is as the chart has it again.',
  DriftRepaired: 'Belay has set an object back to what the chart says.',
  DriftRepairFailed:
    'An object could not be set back to what the chart says, or somebody keeps changing it and Belay has stopped.',
} as const;

export type EventReason = keyof typeof EVENT_REASONS;

/** Reasons of what was planned and permitted. */
const NORMAL: ReadonlySet<EventReason> = new Set([
  'OpenWindowUsed',
  'ReleaseLocked',
  'ReleaseUnlocked',
  'ReleaseOpened',
  'DriftResolved',
  'DriftRepaired',
] as const);

export const typeOf = (reason: EventReason): 'Normal' | 'Warning' => (NORMAL.has(reason) ? 'Normal' : 'Warning');

/** Undefined where there is no Event, because the refusal is not about a release. */
export const REASON_OF_DENIAL: Readonly<Record<DenialCode, EventReason | undefined>> = {
  BelayOperationInFlight: 'OperationRefused',
  BelayFrozen: 'FrozenWriteRefused',
  BelayDrift: 'DriftRefused',
  BelayPinned: 'PinnedVersionRefused',
  BelayDowngrade: 'DowngradeRefused',
  BelayFenced: 'StaleWriterFenced',
  BelayRecordProtected: 'RecordWriteRefused',
  BelayBadLock: 'LockRefused',
  BelayLockForbidden: 'LockRefused',
  BelayClaimGuarded: 'ClaimWriteRefused',
  BelayBadPolicy: undefined,
  BelayUnavailable: undefined,
};
