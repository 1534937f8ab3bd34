import type { OperationKind, RecordKind, RecordRef } from '../helm/names.ts';
import { type HelmStatus, isPending, isUnfinished, operationOf, type ReleaseRecord } from '../helm/record.ts';
import { BREAK } from '../policy/lock-annotations.ts';
import type { InFlight } from './verdict.ts';

/** A claim, from the Lease `belay.<release>` that Belay writes: which operation was admitted, and who runs it. */
export interface Claim {
  readonly resourceVersion: string;
  readonly holder: string;
  readonly operation: OperationKind;
  readonly revision: number;
  readonly acquiredAtMs: number;
  readonly renewedAtMs: number;
  /** Silence after which the operation counts as dead by its holder's own wish. It counts where it is shorter than the policy's. */
  readonly silenceMs?: number | undefined;
  /**
   * For an uninstall: the record's resourceVersion at its admission. While the record still has it, the uninstall is not stored yet. For other
   * operations: that of the record when it was deleted, so that the claim waits for none any more.
   */
  readonly recordVersion: string | undefined;
  /** The kind of records that the operation writes; undefined in a claim of 0.1.0. */
  readonly storage?: RecordKind | undefined;
  /** Users of the operation whose uninstall was refused since it began. Helm goes on to delete after that (refused-uninstall.ts). */
  readonly uninstallRefused?: readonly string[] | undefined;
}

/** What is stored about one release when a rule judges a write. */
export interface ReleaseFacts {
  /** The stored revisions, in no particular order, all of one kind (storage-kind.ts). */
  readonly records: readonly ReleaseRecord[];
  readonly claim: Claim | undefined;
}

/** What decides whether an operation is stale. */
export interface StaleClock {
  readonly nowMs: number;
  readonly staleAfterMs: number;
}

/**
 * The state of a release: idle, an operation in flight, or a dead operation, which the next operation may take over. An operation is dead
 * when it was silent for `staleAfterMs` (stale), or when somebody declared it dead (broken).
 */
export type OperationState =
  | { readonly state: 'idle' }
  | { readonly state: 'in-flight'; readonly inFlight: InFlight }
  | { readonly state: 'dead'; readonly reason: 'stale' | 'broken'; readonly was: InFlight };

/**
 * How long a claim holds before its record appears: the longest that other webhooks may take (timeoutSeconds of 10, the default).
 * After that its CREATE has failed, and the claim is void.
 */
export const CLAIM_VOID_AFTER_MS = 10_000;

export const refOf = (record: ReleaseRecord): RecordRef => ({
  kind: record.kind,
  namespace: record.namespace,
  name: record.name,
});

const highestWhere = (
  records: readonly ReleaseRecord[],
  matches: (record: ReleaseRecord) => boolean,
): ReleaseRecord | undefined => {
  let highest: ReleaseRecord | undefined;
  for (const record of records) {
    if (matches(record) && (highest === undefined || record.revision > highest.revision)) highest = record;
  }
  return highest;
};

/** The newest revision among the records of one kind. Helm reads only one kind: the one that HELM_DRIVER names. */
export const newestOf = (records: readonly ReleaseRecord[], kind: ReleaseRecord['kind']): ReleaseRecord | undefined =>
  highestWhere(records, (record) => record.kind === kind);

/** Whether the claim belongs to the operation of this record. */
export const isClaimOf = (claim: Claim | undefined, record: ReleaseRecord): boolean =>
  claim !== undefined &&
  claim.revision === record.revision &&
  (claim.operation === 'uninstall') === (record.status === 'uninstalling');

/** How long an operation may be silent before it counts as dead: the policy's time, or its holder's where that is shorter. */
export const silenceOf = (claim: Claim | undefined, staleAfterMs: number): number =>
  Math.min(staleAfterMs, claim?.silenceMs ?? staleAfterMs);

/**
 * A time further ahead than this is no sign of life. Helm notes the time by its own clock, and clocks of clients are off by seconds. A user
 * who may write Secrets may label a record with any time, and a time far ahead would keep a dead operation alive.
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

/** Whether the API server may still store the write for which a claim was made. */
const isAwaitingRecord = (claim: Claim, records: readonly ReleaseRecord[], nowMs: number): boolean => {
  if (nowMs >= claim.acquiredAtMs + CLAIM_VOID_AFTER_MS) return false;
  const record = records.find((candidate) => candidate.revision === claim.revision);
  return claim.operation === 'uninstall'
    ? record !== undefined && record.resourceVersion === claim.recordVersion
    : record === undefined && claim.recordVersion === undefined;
};

/** Finds the state of a release from its records and its claim (docs/design.md#operations). */
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

/** Whether the user is the holder of an operation in flight. Where no holder is known (it began before Belay was installed), every user is. */
export const isHolder = (inFlight: InFlight, username: string): boolean =>
  inFlight.holder === undefined || inFlight.holder === username;

/** Whether an operation is in flight whose holder is not known. */
export const isHolderUnknown = (state: OperationState): boolean =>
  state.state === 'in-flight' && state.inFlight.holder === undefined;

const highestOf = (records: readonly ReleaseRecord[], status: HelmStatus): ReleaseRecord | undefined =>
  highestWhere(records, (record) => record.status === status);

/** The highest deployed revision, which is what runs. */
export const highestDeployed = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined =>
  highestOf(records, 'deployed');

/** The highest superseded revision. It ran before the last operation, where that operation left no revision deployed. */
export const highestSuperseded = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined =>
  highestOf(records, 'superseded');

/** The statuses of the newest revision that tell that its operation has superseded what ran, and has not come to its end. */
const isBrokenOff = (status: HelmStatus): boolean => status === 'failed' || isPending(status);

/**
 * The revision that was deployed last. A failed rollback leaves no deployed revision (Helm marks all of them superseded before it fails), and
 * neither does an operation that dies between its last two writes: then it is the highest superseded one. An uninstall that kept its history leaves none either,
 * but its newest revision is uninstalled.
 */
export const lastDeployed = (records: readonly ReleaseRecord[]): ReleaseRecord | undefined => {
  const deployed = highestDeployed(records);
  if (deployed !== undefined) return deployed;
  const highest = highestSuperseded(records);
  const newest = highest === undefined ? undefined : newestOf(records, highest.kind);
  return newest !== undefined && isBrokenOff(newest.status) ? highest : undefined;
};

/**
 * How many revisions may say what runs. A release has one that is deployed. More are there after writes that were lost or forged, and each costs the
 * reading of a manifest.
 */
const MAX_RUNNING = 3;

/** The deployed revisions, the highest first. The oldest counts before those between, so that no number of later ones pushes it out. */
const deployedOnes = (records: readonly ReleaseRecord[]): readonly ReleaseRecord[] => {
  const deployed = records.filter(({ status }) => status === 'deployed').sort((a, b) => b.revision - a.revision);
  return deployed.length <= MAX_RUNNING ? deployed : [...deployed.slice(0, MAX_RUNNING - 1), ...deployed.slice(-1)];
};

/**
 * The two highest revisions, where all are superseded and the last operation was no uninstall. Helm leaves no release so; some hand does, or an older
 * Belay let it. Without a claim they may be the first records of a backup.
 */
const supersededByHand = (records: readonly ReleaseRecord[], claim: Claim | undefined): readonly ReleaseRecord[] => {
  if (claim === undefined || claim.operation === 'uninstall') return [];
  const newestFirst = [...records].sort((a, b) => b.revision - a.revision);
  if (newestFirst[0]?.status !== 'superseded') return [];
  return newestFirst.filter(({ status }) => status === 'superseded').slice(0, 2);
};

/** The revisions of which any may say what runs while no operation is in flight, the likeliest first. */
export const mayRun = ({ records, claim }: ReleaseFacts): readonly ReleaseRecord[] => {
  const deployed = deployedOnes(records);
  if (deployed.length > 0) return deployed;
  const last = lastDeployed(records);
  return last === undefined ? supersededByHand(records, claim) : [last];
};

/** The stored record of an operation. Undefined where its record is still on its way, or gone. */
export const recordOf = ({ records }: Pick<ReleaseFacts, 'records'>, operation: InFlight): ReleaseRecord | undefined =>
  records.find(({ kind, name }) => kind === operation.record?.kind && name === operation.record.name);

/**
 * The revisions of which any may govern an object, the likeliest first: the revision in flight, and those that may run
 * (docs/design.md#governed-objects).
 */
export const findGoverning = (facts: ReleaseFacts, state: OperationState): readonly ReleaseRecord[] => {
  const own = state.state === 'in-flight' ? recordOf(facts, state.inFlight) : undefined;
  return [...new Set([...(own ? [own] : []), ...mayRun(facts)])];
};
