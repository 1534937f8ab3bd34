import type { ReleaseRecord } from '../../helm/record.ts';
import { endMs, FREEZE, NO_DOWNGRADE, PIN } from '../../policy/lock-annotations.ts';
import { findOperation, highestDeployed, lastDeployed, newestOf } from '../in-flight.ts';
import type { Verdict } from '../verdict.ts';
import { protect } from './refuse.ts';
import { locksOnlyOn } from './take-back.ts';
import type { RecordContext } from './write.ts';

const inNamespace = ({ namespace }: ReleaseRecord): string => `-n ${namespace}`;

const uninstall = (record: ReleaseRecord): string =>
  `to remove the release: helm uninstall ${record.release} ${inNamespace(record)}`;

/** With the record of such a revision nothing is lost, though it is the newest. */
const DISPENSABLE: ReadonlySet<string> = new Set(['failed', 'superseded']);

/**
 * Refuses the delete of the record by which Helm and Belay know what runs, or whose delete would bring an operation of the past to life.
 * Helm prunes whatever is not deployed, the newest revision too where it failed: that one may go.
 */
export const refuseLoss = ({ write, facts, clock }: RecordContext, before: ReleaseRecord): Verdict | undefined => {
  const own = facts.records.filter(({ kind }) => kind === before.kind);
  const rest = own.filter(({ name }) => name !== before.name);
  const isNewest = before.revision >= (newestOf(own, before.kind) ?? before).revision;
  if (before.status === 'deployed' && before.revision >= (highestDeployed(own)?.revision ?? 0)) {
    return protect(
      write,
      before,
      'it is the deployed revision, and Helm would lose what runs with it',
      uninstall(before),
    );
  }
  if (!isNewest) return undefined;
  if (before.status !== 'deployed' && !DISPENSABLE.has(before.status)) {
    return protect(
      write,
      before,
      'it is the newest revision, and Helm would lose the release with it',
      uninstall(before),
    );
  }
  const runs = lastDeployed(own);
  if (runs !== undefined && runs.status !== 'deployed' && lastDeployed(rest) === undefined) {
    return protect(
      write,
      before,
      `nothing is deployed, and without this failed revision nobody knows that revision ${runs.revision} ran last`,
      `to deploy that one again: helm rollback ${before.release} ${runs.revision} ${inNamespace(before)}`,
    );
  }
  const without = findOperation({ records: rest, claim: facts.claim }, clock);
  if (without.state !== 'in-flight' || without.inFlight.record === undefined) return undefined;
  const unfinished = newestOf(rest, before.kind);
  return protect(
    write,
    before,
    `without it revision ${unfinished?.revision}, which is ${unfinished?.status}, would be the newest, and in flight`,
    'delete that one first, or wait until it is stale',
  );
};

/** The locks that are lost with a record. `break` and a maintenance window do not restrain, and what is over locks nothing. */
const lostLocks = (context: RecordContext, before: ReleaseRecord): readonly string[] => {
  const isOver = endMs(before.locks ?? {}) <= context.clock.nowMs;
  return locksOnlyOn(context, before).filter(
    (key) => key === PIN || key === NO_DOWNGRADE || (key === FREEZE && !isOver),
  );
};

/**
 * Refuses the delete of the only record that carries a lock. Helm prunes before it stores the next revision, to which Belay could carry the
 * lock over. The right to prune is no right to unlock.
 */
export const refuseLockLoss = (context: RecordContext, before: ReleaseRecord): Verdict | undefined => {
  const locks = lostLocks(context, before);
  if (locks.length === 0) return undefined;
  const { records } = context.facts;
  const isAlone = records.every(({ kind, name }) => kind !== before.kind || name === before.name);
  const annotate = `kubectl annotate ${before.kind.toLowerCase()} ${inNamespace(before)} -l owner=helm,name=${before.release}`;
  return protect(
    context.write,
    before,
    `the lock ${locks.join(', ')} is on no other revision and would be lost with it`,
    isAlone
      ? `lift the lock first, for someone who may: ${annotate} ${locks.map((key) => `${key}-`).join(' ')}`
      : `write it on all of them: ${annotate} ${locks.map((key) => `${key}=...`).join(' ')}`,
  );
};
