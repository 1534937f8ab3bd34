import type { ReleaseName } from '../helm/names.ts';
import { isUnfinished } from '../helm/record.ts';
import {
  CLAIM_VOID_AFTER_MS,
  type Claim,
  findOperation,
  type OperationState,
  type ReleaseFacts,
  type StaleClock,
} from './in-flight.ts';
import { allow, deny, type Verdict } from './verdict.ts';

/** A write of a claim's Lease by a user other than Belay. */
export interface ClaimWrite {
  readonly lease: string;
  readonly release: ReleaseName;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly username: string;
  /** Whether an UPDATE touches more than `spec.renewTime` and `spec.leaseDurationSeconds`. */
  readonly changesMoreThanRenewal: boolean;
  /** `spec.leaseDurationSeconds` after an UPDATE; undefined where the UPDATE does not change it. */
  readonly newDurationSeconds?: unknown;
  /** Shortest silence that a holder may ask for. */
  readonly shortestSilenceMs: number;
  /** The claim before an UPDATE or a DELETE, and that of a CREATE itself. */
  readonly claim: Claim | undefined;
  readonly terminating: boolean;
  /** Whether the user has the right to `break` the release. It is looked up for a CREATE alone. */
  readonly mayBreak: boolean;
  /** Whether the Lease is there already, so that a CREATE changes nothing. */
  readonly isThere: boolean;
  /** Whether the last renewal is long enough ago. Asked last, because a yes counts as a renewal. */
  readonly isPaced: () => boolean;
}

/** A holder that renews often may shorten the silence after which it counts as dead, so that its crash is seen soon. It may not lengthen it. */
const isAllowedDuration = ({ newDurationSeconds: wanted, shortestSilenceMs, claim }: ClaimWrite): boolean =>
  wanted === undefined ||
  (typeof wanted === 'number' &&
    wanted * 1000 >= shortestSilenceMs &&
    wanted * 1000 < (claim?.silenceMs ?? Number.NEGATIVE_INFINITY));

/** Of an operation that is over or dead there is nothing to renew. Each write of the Lease delays the next operation's claim. */
const isRenewal = (write: ClaimWrite, state: OperationState): boolean =>
  state.state === 'in-flight' &&
  !write.changesMoreThanRenewal &&
  isAllowedDuration(write) &&
  write.claim?.holder === write.username &&
  write.isPaced();

const FROM_BACKUP =
  'Belay keeps the claims of releases itself: leave the Leases belay.<release> out of backups (docs/backup.md)';

/**
 * Whether a claim comes back with a backup. One that is there already stays as it is. One that is not says nothing: its time is over, and no
 * revision is unfinished whose holder it could name.
 */
const isFromBackup = (
  { mayBreak, isThere, claim }: ClaimWrite,
  { records }: ReleaseFacts,
  { nowMs, staleAfterMs }: StaleClock,
): boolean => {
  if (!mayBreak) return false;
  if (isThere) return true;
  if (claim === undefined || records.some(({ status }) => isUnfinished(status))) return false;
  return nowMs - Math.max(claim.acquiredAtMs, claim.renewedAtMs) >= Math.max(staleAfterMs, CLAIM_VOID_AFTER_MS);
};

/** A holder may renew this often within the silence after which it counts as dead; `helm lock` does so four times. */
const RENEWALS_PER_SILENCE = 30;

/** Shortest time between two renewals of a claim. */
export const renewEveryMs = (claim: Claim | undefined, shortestSilenceMs: number): number =>
  Math.min(shortestSilenceMs, claim?.silenceMs ?? shortestSilenceMs) / RENEWALS_PER_SILENCE;

/**
 * The built-in ClusterRole `edit` may write Leases, so RBAC alone does not protect a claim. Only Belay writes a claim, only its holder may
 * renew it, and nobody may delete it but with its namespace: somebody could make it anew without Belay's marks (docs/design.md#operations).
 */
export const judgeClaim = (write: ClaimWrite, facts: ReleaseFacts, clock: StaleClock): Verdict => {
  const state = findOperation(facts, clock);
  const refuse = (): Verdict =>
    deny({
      code: 'BelayClaimGuarded',
      lease: write.lease,
      namespace: write.release.namespace,
      inFlight: state.state === 'in-flight' ? state.inFlight : undefined,
    });
  switch (write.operation) {
    case 'UPDATE':
      return isRenewal(write, state) ? allow('renewal') : refuse();
    case 'DELETE':
      return write.terminating ? allow('claim of nothing') : refuse();
    case 'CREATE':
      return isFromBackup(write, facts, clock) ? { allowed: true, why: 'restored', warnings: [FROM_BACKUP] } : refuse();
  }
};
