import type { ReleaseName } from '../helm/names.ts';
import { type Claim, findOperation, type OperationState, type ReleaseFacts, type StaleClock } from './in-flight.ts';
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
      return refuse();
  }
};
