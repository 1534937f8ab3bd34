import type { ReleaseName } from '../helm/names.ts';
import { type Claim, findOperation, type ReleaseFacts, type StaleClock } from './in-flight.ts';
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
  readonly claim: Claim | undefined;
  readonly terminating: boolean;
}

/** A holder that renews often may shorten the silence after which it counts as dead, so that its crash is seen soon. It may not lengthen it. */
const isAllowedDuration = ({ newDurationSeconds: wanted, shortestSilenceMs, claim }: ClaimWrite): boolean =>
  wanted === undefined ||
  (typeof wanted === 'number' &&
    wanted * 1000 >= shortestSilenceMs &&
    wanted * 1000 < (claim?.silenceMs ?? Number.NEGATIVE_INFINITY));

const isRenewal = (write: ClaimWrite): boolean =>
  !write.changesMoreThanRenewal && isAllowedDuration(write) && write.claim?.holder === write.username;

/**
 * The built-in ClusterRole `edit` may write Leases, so RBAC alone does not protect a claim. Only Belay writes a claim, only its holder may
 * renew it, and nobody may delete it while its operation is in flight (docs/design.md#operations).
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
      // A dead operation keeps its claim. Without it, a write that makes its record look alive would make every user its holder.
      return write.terminating || state.state === 'idle' ? allow('claim of nothing') : refuse();
    case 'CREATE':
      return refuse();
  }
};
