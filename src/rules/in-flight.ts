import type { OperationKind, RecordRef } from '../helm/names.ts';
import { type HelmStatus, isUnfinished, operationOf, type ReleaseRecord } from '../helm/record.ts';
import { BREAK } from '../policy/lock-annotations.ts';
import type { InFlight } from './verdict.ts';

/** The Lease `belay.<release>` as Belay wrote it: who was admitted to do what. */
export interface Claim {
  readonly resourceVersion: string;
  readonly holder: string;
  readonly operation: OperationKind;
  readonly revision: number;
  readonly acquiredAtMs: number;
  readonly renewedAtMs: number;
  /** Silence after which its holder wants to be counted as dead, where that is sooner than the policy says. */
  readonly silenceMs?: number | undefined;
  /** Of an uninstall: the record's resourceVersion when it was admitted. As long as that stands, it has not been stored. */
  readonly recordVersion: string | undefined;
}

/** Everything known about one release when a rule is asked. */
export interface ReleaseFacts {
  /** All stored revisions, Secrets and ConfigMaps alike, in no particular order. */
  readonly records: readonly ReleaseRecord[];
  readonly claim: Claim | undefined;
}

export interface StaleClock {
  readonly nowMs: number;
  readonly staleAfterMs: number;
}

/**
 * The state of a release: nothing under way; an operation in flight; or one that died on the way (stale: nothing was
 * heard of it for `staleAfter`; broken: somebody declared it dead), which the next one may take over.
 */
export type OperationState =
  | { readonly state: 'idle' }
  | { readonly state: 'in-flight'; readonly inFlight: InFlight }
  | { readonly state: 'dead'; readonly reason: 'stale' | 'broken'; readonly was: InFlight };

/**
 * How long an admitted operation is believed before its record has appeared: the longest that other webhooks may take
 * (timeoutSeconds of 10, the default). After that its CREATE has failed, and the claim is void.
 */
export const CLAIM_VOID_AFTER_MS = 10_000;

export const refOf = (record: ReleaseRecord): RecordRef => ({
  kind: record.kind,
  namespace: record.namespace,
  name: record.name,
});

/** The newest revision among records of one storage kind; Helm reads only the storage that it was told to use. */
export const newestOf = (records: readonly ReleaseRecord[], kind: ReleaseRecord['kind']): ReleaseRecord | undefined => {
  let newest: ReleaseRecord | undefined;
  for (const record of records) {
    if (record.kind === kind && (newest === undefined || record.revision > newest.revision)) newest = record;
  }
  return newest;
};

/** Whether the claim speaks of the operation that this record shows. */
export const isClaimOf = (claim: Claim | undefined, record: ReleaseRecord): boolean =>
  claim !== undefined &&
  claim.revision === record.revision &&
  (claim.operation === 'uninstall') === (record.status === 'uninstalling');

/** How long an operation may be silent before it counts as dead: as the policy says, or sooner where its holder renews more often. */
export const silenceOf = (claim: Claim | undefined, staleAfterMs: number): number =>
  Math.min(staleAfterMs, claim?.silenceMs ?? staleAfterMs);

/**
 * Clocks of clients are off by seconds, and Helm notes the time by its own. Whoever may write Secrets may label a record with any time: one
 * far ahead is no sign of life, or a dead operation would never be over.
 */
const MAX_AHEAD_MS = 300_000;

const isCredible = (ms: number, { nowMs }: StaleClock): boolean => ms <= nowMs + MAX_AHEAD_MS;

const fromRecord = (record: ReleaseRecord, claim: Claim | undefined, clock: StaleClock): InFlight | undefined => {
  const operation = operationOf(record.status);
  if (operation === undefined) return undefined;
  const own = claim !== undefined && isClaimOf(claim, record) ? claim : undefined;
  const heardMs = [record.updatedAtMs, own?.renewedAtMs ?? 0].filter((ms) => isCredible(ms, clock));
  const lastHeardMs = Math.max(own?.acquiredAtMs ?? 0, ...heardMs);
  return {
    operation,
    revision: record.revision,
    holder: own?.holder,
    sinceMs: own?.acquiredAtMs ?? record.updatedAtMs,
    staleAtMs: lastHeardMs + silenceOf(own, clock.staleAfterMs),
    record: refOf(record),
  };
};

/** A claim whose write the API server has admitted but not yet stored. */
const isAwaitingRecord = (claim: Claim, records: readonly ReleaseRecord[], nowMs: number): boolean => {
  if (nowMs >= claim.acquiredAtMs + CLAIM_VOID_AFTER_MS) return false;
  const record = records.find((candidate) => candidate.revision === claim.revision);
  return claim.operation === 'uninstall'
    ? record !== undefined && record.resourceVersion === claim.recordVersion
    : record === undefined;
};

/** Tells whether an operation is in flight, from the records and the claim (DESIGN.md 4.1). */
export const findOperation = (facts: ReleaseFacts, clock: StaleClock): OperationState => {
  const { claim, records } = facts;
  let dead: OperationState | undefined;
  for (const kind of ['Secret', 'ConfigMap'] as const) {
    const newest = newestOf(records, kind);
    if (newest === undefined || !isUnfinished(newest.status)) continue;
    const found = fromRecord(newest, claim, clock);
    if (found === undefined) continue;
    if (newest.locks?.[BREAK] !== undefined) dead = { state: 'dead', reason: 'broken', was: found };
    else if (clock.nowMs >= found.staleAtMs) dead = { state: 'dead', reason: 'stale', was: found };
    else return { state: 'in-flight', inFlight: found };
  }
  if (claim !== undefined && isAwaitingRecord(claim, records, clock.nowMs)) {
    return {
      state: 'in-flight',
      inFlight: {
        operation: claim.operation,
        revision: claim.revision,
        holder: claim.holder,
        sinceMs: claim.acquiredAtMs,
        staleAtMs: claim.acquiredAtMs + CLAIM_VOID_AFTER_MS,
        record: undefined,
      },
    };
  }
  return dead ?? { state: 'idle' };
};

/** The holder of an operation in flight; anybody while nobody is known (it began before Belay was installed). */
export const isHolder = (inFlight: InFlight, username: string): boolean =>
  inFlight.holder === undefined || inFlight.holder === username;

/** Whether an operation is in flight of which these facts do not tell whose it is. */
export const isHolderUnknown = (state: OperationState): boolean =>
  state.state === 'in-flight' && state.inFlight.holder === undefined;

const highestOf = (records: readonly ReleaseRecord[], status: HelmStatus): ReleaseRecord | undefined => {
  let highest: ReleaseRecord | undefined;
  for (const record of records) {
    if (record.status === status && (highest === undefined || record.revision > highest.revision)) highest = record;
  }
  return highest;
};

/** The highest deployed revision: what runs. */
export const highestDeployed = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined =>
  highestOf(records, 'deployed');

/** The highest superseded revision: what ran before the last operation, if that has left nothing deployed. */
export const highestSuperseded = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined =>
  highestOf(records, 'superseded');

/**
 * The revision that was deployed last: the deployed one or, where a failed rollback has left none (Helm marks all of them superseded before it
 * fails), the highest superseded one. After an uninstall that kept the history nothing is: only a failed revision on top tells of a failure.
 */
export const lastDeployed = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined => {
  const deployed = highestDeployed(records);
  if (deployed !== undefined) return deployed;
  const highest = highestSuperseded(records);
  return highest !== undefined && newestOf(records, highest.kind)?.status === 'failed' ? highest : undefined;
};

/** The revision whose manifest says what is governed: the one in flight, else the one deployed last (DESIGN.md 4.3). */
export const findGoverning = (facts: ReleaseFacts, state: OperationState): ReleaseRecord | undefined => {
  if (state.state === 'in-flight' && state.inFlight.record !== undefined) {
    const { kind, name } = state.inFlight.record;
    const own = facts.records.find((record) => record.kind === kind && record.name === name);
    if (own !== undefined) return own;
  }
  return lastDeployed(facts.records);
};
