import { type Claim, findOperation, type ReleaseFacts, type StaleClock } from './in-flight.ts';
import { allow, deny, type ReleaseName, type Verdict } from './verdict.ts';

/** A write of a claim's Lease by anybody but Belay. */
export interface ClaimWrite {
  readonly lease: string;
  readonly release: ReleaseName;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly username: string;
  /** Whether an UPDATE touches more than `spec.renewTime`. */
  readonly changesMoreThanRenewal: boolean;
  readonly claim: Claim | undefined;
  readonly terminating: boolean;
}

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
      return !write.changesMoreThanRenewal && write.claim?.holder === write.username ? allow('renewal') : refuse();
    case 'DELETE':
      // Without its claim a dead operation has no holder: a touch of its record would make everybody the holder.
      return write.terminating || state.state === 'idle' ? allow('claim of nothing') : refuse();
    case 'CREATE':
      return refuse();
  }
};
