import { isPending, type ReleaseRecord } from '../../helm/record.ts';
import { lastDeployed, newestOf } from '../in-flight.ts';
import type { RecordContext } from './write.ts';

// A backup brings the records of a release back one by one, in the order of their names (v10 before v2), with gaps where history was pruned. Some
// of them stand in the way of the next ones: a freeze that came back with one record, or with the Namespace; a revision that has been pending since
// its Helm was killed, and that looks like an operation of whoever restores it.

/** Whether the operation in flight is the writer's own. A pending record that somebody restores claims the release for them. */
const isOwnOperation = ({ state, write }: RecordContext): boolean =>
  state.state === 'in-flight' && state.inFlight.record !== undefined && state.inFlight.holder === write.username;

/** Whether the release has nothing that runs, and is not uninstalled either: its records are on their way, or lost. */
const runsNothing = ({ facts: { records } }: RecordContext): boolean =>
  lastDeployed(records) === undefined && records.every(({ status }) => status !== 'uninstalled');

/**
 * Whether a revision may be stored although the release is frozen. Who may break the release brings back what a backup holds: older revisions
 * than the one that runs, or, where nothing runs, that one. So no frozen release gets another revision to run.
 */
const mayThaw = ({ write, facts: { records } }: RecordContext, { status, revision }: ReleaseRecord): boolean => {
  if (!write.mayBreak) return false;
  if (status === 'uninstalled') return records.length === 0;
  const runs = lastDeployed(records);
  if (runs === undefined) return records.every((record) => record.status !== 'uninstalled');
  // A failed revision above a deployed one changes nothing. Where none is deployed, it is the highest superseded one that runs.
  if (runs.status === 'deployed') return revision < runs.revision || status === 'failed';
  return revision < runs.revision && status !== 'deployed';
};

/** The context by which a record that begins no operation is judged, without what does not bind whoever restores a backup. */
export const forRestore = (context: RecordContext, after: ReleaseRecord): RecordContext => ({
  ...context,
  freezes: mayThaw(context, after) ? [] : context.freezes,
  state: isOwnOperation(context) ? { state: 'idle' } : context.state,
});

/**
 * Whether the record is there already. The API server then stores nothing, and says so in words that Velero knows. In between somebody could
 * delete it, and so the right to break is needed.
 */
export const isThereAlready = ({ write, facts }: RecordContext, { kind, name }: ReleaseRecord): boolean =>
  write.mayBreak && facts.records.some((record) => record.kind === kind && record.name === name);

/** Whether a deployed record takes up a release of which nothing runs. What ran is not asked for a version that its pin allows. */
export const isComeback = (context: RecordContext): boolean => context.write.mayBreak && runsNothing(context);

/**
 * Whether a pending record belongs to an operation of the past, of which a newer revision is stored already. It blocks nothing, and nobody claims
 * by it (in-flight.ts).
 */
export const isPastOperation = (context: RecordContext, after: ReleaseRecord): boolean => {
  const { state, write, facts } = context;
  const newest = newestOf(facts.records, after.kind)?.revision ?? 0;
  if (!isPending(after.status) || after.revision >= newest || !write.mayBreak) return false;
  return state.state !== 'in-flight' || isOwnOperation(context);
};
