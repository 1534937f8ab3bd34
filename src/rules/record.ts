import type { PayloadSummary } from '../helm/payload.ts';
import { isPending, isUnfinished, operationOf, type ReleaseRecord, recordName } from '../helm/record.ts';
import {
  findOperation,
  isClaimOf,
  isHolder,
  newestOf,
  type OperationState,
  type ReleaseFacts,
  refOf,
  type StaleClock,
} from './in-flight.ts';
import {
  type Attempt,
  allow,
  type Denial,
  deny,
  type Freeze,
  type OperationKind,
  type ReleaseName,
  type Verdict,
} from './verdict.ts';

/** What a claim has to say before the write may be answered. */
export interface ClaimRequest {
  readonly operation: OperationKind;
  readonly revision: number;
  /** Of an uninstall: the record's resourceVersion before the write. */
  readonly recordVersion: string | undefined;
  /** The dead operation that this one takes over, if there is one. */
  readonly takesOver: { readonly reason: 'stale' | 'broken'; readonly revision: number } | undefined;
}

/** A verdict on a record write. With `claim`, it holds only once the Lease has been written. */
export type RecordVerdict = Verdict & { readonly claim?: ClaimRequest };

/** One write of a record, after the edge has taken it apart. */
export interface RecordWrite {
  readonly release: ReleaseName;
  readonly username: string;
  readonly before: ReleaseRecord | undefined;
  readonly after: ReleaseRecord | undefined;
  /** Whether the payload or one of Helm's own labels differs; false for a person who annotates. */
  readonly contentChanged: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the new object; undefined where its content did not change, or for DELETE. */
  readonly payload: PayloadSummary | undefined;
  /** Of the stored object, where that could be read. */
  readonly payloadBefore: PayloadSummary | undefined;
  /** chart, config, manifest: those that differ from what is stored. */
  readonly changedParts: readonly string[];
  readonly terminating: boolean;
}

interface Context {
  readonly write: RecordWrite;
  readonly facts: ReleaseFacts;
  readonly freezes: readonly Freeze[];
  readonly state: OperationState;
}

const FREEZE_INSTEAD = (record: ReleaseRecord): string =>
  `to lock a release, freeze it: kubectl annotate ${record.kind.toLowerCase()} -n ${record.namespace} -l owner=helm,name=${record.release} belay.dev/freeze="why"`;

const protect = (write: RecordWrite, record: ReleaseRecord, problem: string, remedy: string): Verdict =>
  deny({ code: 'BelayRecordProtected', release: write.release, record: refOf(record), problem, remedy });

const refuseFrozen = ({ write, freezes }: Context, attempt: Attempt): Verdict =>
  deny({ code: 'BelayFrozen', release: write.release, attempt, freezes });

const refuseInFlight = ({ write, state }: Context, attempt: Attempt): Verdict => {
  if (state.state !== 'in-flight') throw new TypeError('refused for an operation in flight where there is none');
  return deny({ code: 'BelayOperationInFlight', release: write.release, attempt, inFlight: state.inFlight });
};

/** Refuses a record whose name, labels and payload tell different stories (DESIGN.md 4.1). */
const findDisagreement = (write: RecordWrite, record: ReleaseRecord): Verdict | undefined => {
  const { labels, payload } = write;
  const remedy = 'let Helm write its records; to lock a release use the annotation belay.dev/freeze';
  const expected: Readonly<Record<string, string>> = {
    owner: 'helm',
    name: record.release,
    version: String(record.revision),
    ...(payload === undefined ? {} : { status: payload.status }),
  };
  for (const [label, value] of Object.entries(expected)) {
    if (labels[label] !== value) {
      return protect(
        write,
        record,
        `its label ${label} would no longer say what its ${label === 'status' ? 'payload' : 'name'} says`,
        remedy,
      );
    }
  }
  if (payload !== undefined && (payload.name !== record.release || payload.revision !== record.revision)) {
    return protect(write, record, `its payload is not that of ${recordName(record.release, record.revision)}`, remedy);
  }
  return undefined;
};

const start = (context: Context, operation: OperationKind, revision: number, recordVersion?: string): RecordVerdict => {
  const { freezes, state } = context;
  if (freezes.length > 0) return refuseFrozen(context, operation);
  if (state.state === 'in-flight') return refuseInFlight(context, operation);
  const takesOver = state.state === 'dead' ? { reason: state.reason, revision: state.was.revision } : undefined;
  return {
    ...allow(takesOver === undefined ? 'start' : 'takeover'),
    claim: { operation, revision, recordVersion, takesOver },
  };
};

const judgeCreate = (context: Context, after: ReleaseRecord): RecordVerdict => {
  const { write, facts, freezes, state } = context;
  const disagreement = findDisagreement(write, after);
  if (disagreement !== undefined) return disagreement;
  const operation = operationOf(after.status);
  const newest = newestOf(facts.records, after.kind)?.revision ?? 0;
  if (operation !== undefined) {
    if (after.revision > newest || state.state === 'in-flight') return start(context, operation, after.revision);
    // Helm chose its revision from what it saw some time ago. Let through, this would be an operation that nobody has claimed.
    const problem = `revision ${newest} has been stored since Helm looked`;
    return protect(write, after, problem, 'run the command again');
  }
  // Not an operation: a backup is restored (any status, any order), or mapkubeapis writes its copy as `deployed`.
  if (freezes.length > 0) return refuseFrozen(context, 'record edit');
  if (state.state === 'in-flight') return refuseInFlight(context, 'record edit');
  return allow('stored');
};

/** A pending or uninstalling revision below a newer one: whoever wrote it was overtaken and is fenced off. */
const judgeOvertaken = (
  context: Context,
  before: ReleaseRecord,
  after: ReleaseRecord,
  newest: ReleaseRecord,
): Verdict => {
  const { write, facts, state } = context;
  const mayRetire = state.state === 'in-flight' ? isHolder(state.inFlight, write.username) : true;
  if (after.status === 'superseded' && mayRetire) return allow('retired');
  return deny({
    code: 'BelayFenced',
    release: write.release,
    revision: before.revision,
    overtakenBy: newest.revision,
    holder: facts.claim?.revision === newest.revision ? facts.claim.holder : undefined,
  });
};

const judgeUninstalling = (context: Context, before: ReleaseRecord, after: ReleaseRecord): RecordVerdict => {
  const { write, facts, state } = context;
  // Hooks make Helm write `uninstalling` again; a second `helm uninstall` does so too, but with a new time of deletion.
  const sameUninstall =
    before.status === 'uninstalling' &&
    write.payload !== undefined &&
    write.payload.deleted === write.payloadBefore?.deleted;
  if (!sameUninstall) return start(context, 'uninstall', after.revision, before.resourceVersion);
  if (state.state === 'in-flight') {
    return isHolder(state.inFlight, write.username) ? allow('progress') : refuseInFlight(context, 'uninstall');
  }
  const ours = facts.claim === undefined || (isClaimOf(facts.claim, before) && facts.claim.holder === write.username);
  return ours ? allow('progress') : start(context, 'uninstall', after.revision, before.resourceVersion);
};

/** Where Helm itself may move the status of the revision that an operation is about. */
const COMPLETIONS: ReadonlySet<string> = new Set(['deployed', 'failed', 'superseded', 'uninstalled']);

const judgeUnfinished = (context: Context, before: ReleaseRecord, after: ReleaseRecord): Verdict => {
  const { write, facts, freezes, state } = context;
  const moved = after.status !== before.status;
  if (moved && !COMPLETIONS.has(after.status)) {
    return protect(
      write,
      before,
      `its status never goes from ${before.status} to ${after.status}`,
      FREEZE_INSTEAD(before),
    );
  }
  if (state.state === 'in-flight') {
    return isHolder(state.inFlight, write.username)
      ? allow(moved ? 'completion' : 'progress')
      : refuseInFlight(context, 'record edit');
  }
  // Late, but not overtaken: the holder of an admitted operation may always finish it.
  const claim = facts.claim;
  if (claim === undefined || !isClaimOf(claim, before) || claim.holder === write.username)
    return allow('late completion');
  if (freezes.length > 0) return refuseFrozen(context, 'record edit');
  // Flux and people retire a dead operation like this.
  if (after.status === 'failed' || after.status === 'superseded') return allow('retired');
  return protect(
    write,
    before,
    `only ${JSON.stringify(claim.holder)}, who began this ${claim.operation}, may move it to ${after.status}`,
    'start the next operation: it takes over',
  );
};

/** Statuses at rest that Helm supersedes before the CREATE that starts its operation (`install --replace`, `upgrade --install` after `--keep-history`). */
const SUPERSEDED_BEFORE_START: ReadonlySet<string> = new Set(['uninstalled', 'failed']);

const judgeAtRest = (context: Context, before: ReleaseRecord, after: ReleaseRecord): Verdict => {
  const { write, facts, freezes, state } = context;
  if (after.status === before.status) return allow('unchanged status'); // hooks of `helm test`, or a failing upgrade
  if (operationOf(after.status) !== undefined && after.status !== 'uninstalling') {
    return protect(
      write,
      before,
      `a stored revision's status never goes from ${before.status} to ${after.status}: that would look like an operation that never ends`,
      FREEZE_INSTEAD(before),
    );
  }
  if (after.status === 'superseded') {
    if (state.state === 'in-flight') {
      return isHolder(state.inFlight, write.username) ? allow('superseded') : refuseInFlight(context, 'record edit');
    }
    const claim = facts.claim;
    const finishing =
      state.state === 'dead' &&
      state.was.revision > before.revision &&
      (claim === undefined || claim.holder === write.username);
    if (finishing) return allow('late completion');
    if (freezes.length > 0) return refuseFrozen(context, 'record edit');
    if (SUPERSEDED_BEFORE_START.has(before.status)) return allow('superseded');
  }
  return protect(
    write,
    before,
    `a stored revision's status does not go from ${before.status} to ${after.status} outside of an operation`,
    FREEZE_INSTEAD(before),
  );
};

const judgeUpdate = (context: Context, before: ReleaseRecord, after: ReleaseRecord): RecordVerdict => {
  const { write, facts } = context;
  if (!write.contentChanged) return allow('metadata');
  const disagreement = findDisagreement(write, after);
  if (disagreement !== undefined) return disagreement;
  if (write.changedParts.length > 0) {
    return protect(
      write,
      before,
      `the ${write.changedParts.join(', ')} of a stored revision never changes`,
      'to change the release, run helm upgrade: it stores a new revision',
    );
  }
  const newest = newestOf(facts.records, before.kind);
  if (after.status === 'uninstalling' && (newest === undefined || newest.revision <= before.revision)) {
    return judgeUninstalling(context, before, after);
  }
  if (isUnfinished(before.status)) {
    if (newest !== undefined && newest.revision > before.revision)
      return judgeOvertaken(context, before, after, newest);
    return judgeUnfinished(context, before, after);
  }
  return judgeAtRest(context, before, after);
};

const highestDeployed = (records: readonly ReleaseRecord[], kind: ReleaseRecord['kind']): number =>
  Math.max(
    0,
    ...records
      .filter((record) => record.kind === kind && record.status === 'deployed')
      .map((record) => record.revision),
  );

const judgeDelete = (context: Context, before: ReleaseRecord): Verdict => {
  const { write, facts, freezes, state } = context;
  if (write.terminating) return allow('terminating namespace');
  const newest = newestOf(facts.records, before.kind) ?? before;
  if (state.state === 'in-flight') {
    const { inFlight } = state;
    if (inFlight.operation === 'uninstall' && inFlight.record !== undefined) {
      return isHolder(inFlight, write.username) ? allow('uninstall') : refuseInFlight(context, 'record delete');
    }
    if (before.revision >= newest.revision) return refuseInFlight(context, 'record delete');
  }
  if (state.state === 'dead' && state.was.operation === 'uninstall' && facts.claim?.holder === write.username) {
    return allow('uninstall'); // late, but not overtaken
  }
  if (freezes.length > 0) return refuseFrozen(context, 'record delete');
  if (newest.status === 'uninstalling') return allow('dead uninstall');
  if (newest.status === 'uninstalled') return allow('purge'); // helm uninstall after uninstall --keep-history
  if (before.revision >= newest.revision) {
    return isPending(before.status)
      ? allow('dead operation')
      : protect(
          write,
          before,
          'it is the newest revision, and Helm would lose the release with it',
          `to remove the release: helm uninstall ${write.release.name} -n ${before.namespace}`,
        );
  }
  if (before.status === 'deployed' && before.revision >= highestDeployed(facts.records, before.kind)) {
    return protect(
      write,
      before,
      'it is the deployed revision, and Helm would lose what runs with it',
      `to remove the release: helm uninstall ${write.release.name} -n ${before.namespace}`,
    );
  }
  return allow('prune');
};

/** Judges one write of a release record: DESIGN.md 4.1, and the freeze of 4.2. */
export const judgeRecord = (
  write: RecordWrite,
  facts: ReleaseFacts,
  freezes: readonly Freeze[],
  clock: StaleClock,
): RecordVerdict => {
  const context: Context = { write, facts, freezes, state: findOperation(facts, clock) };
  if (write.before !== undefined && write.after !== undefined) return judgeUpdate(context, write.before, write.after);
  if (write.after !== undefined) return judgeCreate(context, write.after);
  if (write.before !== undefined) return judgeDelete(context, write.before);
  return allow('nothing');
};

/** The denial of a payload that cannot be read: the record could not be told from a forged one. */
export const refuseUnreadable = (release: ReleaseName, record: ReleaseRecord, problem: string): Denial => ({
  code: 'BelayRecordProtected',
  release,
  record: refOf(record),
  problem: `its payload ${problem}`,
  remedy: 'let Helm write its records',
});
