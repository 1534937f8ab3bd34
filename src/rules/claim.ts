import type { ReleaseName } from '../helm/names.ts';
import { type Claim, findOperation, type ReleaseFacts, type StaleClock } from './in-flight.ts';
import { allow, deny, type Verdict } from './verdict.ts';

/** A write of a claim's Lease by anybody but Belay. */
export interface ClaimWrite {
  readonly lease: string;
  readonly release: ReleaseName;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly username: string;
  /** Whether an UPDATE touches more than `spec.renewTime` and `spec.leaseDurationSeconds`. */
  readonly changesMoreThanRenewal: boolean;
  /** `spec.leaseDurationSeconds` that an UPDATE leaves behind; undefined where it is left as it was. */
  readonly newDurationSeconds?: unknown;
  readonly claim: Claim | undefined;
  readonly terminating: boolean;
}

/**
 * Shortest silence that a holder may ask for. `helm lock` renews every 10 s: three renewals may then be lost, to a slow network or to an
 * API server that restarts, before a living operation counts as dead.
 */
export const MIN_SILENCE_SECONDS = 30;

/** A holder that renews often wants its crash to be seen soon. It may shorten its time, and never lengthen it. */
const isAllowedDuration = ({ newDurationSeconds: wanted, claim }: ClaimWrite): boolean =>
  wanted === undefined ||
  (typeof wanted === 'number' &&
    wanted >= MIN_SILENCE_SECONDS &&
    wanted * 1000 < (claim?.silenceMs ?? Number.NEGATIVE_INFINITY));

const isRenewal = (write: ClaimWrite): boolean =>
  !write.changesMoreThanRenewal && isAllowedDuration(write) && write.claim?.holder === write.username;

/**
 * The built-in ClusterRole `edit` may write Leases, so RBAC alone does not protect a claim: only Belay writes it, its
 * holder may renew it, and nobody deletes it while its operation is in flight (DESIGN.md 4.1).
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
      return isRenewal(write) ? allow('renewal') : refuse();
    case 'DELETE':
      // Without its claim a dead operation has no holder: a touch of its record would make everybody the holder.
      return write.terminating || state.state === 'idle' ? allow('claim of nothing') : refuse();
    case 'CREATE':
      return refuse();
  }
};
