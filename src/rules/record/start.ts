import type { OperationKind } from '../../helm/names.ts';
import { allow } from '../verdict.ts';
import { refuseFrozen, refuseInFlight } from './refuse.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

/** Judges the start of an operation. It may not start on a frozen release or beside another operation, and it takes over a dead one. */
export const start = (
  context: RecordContext,
  operation: OperationKind,
  revision: number,
  recordVersion?: string,
): RecordVerdict => {
  const { freezes, state } = context;
  if (freezes.length > 0) return refuseFrozen(context, operation);
  if (state.state === 'in-flight') return refuseInFlight(context, operation);
  const takesOver = state.state === 'dead' ? { reason: state.reason, revision: state.was.revision } : undefined;
  return {
    ...allow(takesOver === undefined ? 'start' : 'takeover'),
    claim: { operation, revision, recordVersion, takesOver },
  };
};
