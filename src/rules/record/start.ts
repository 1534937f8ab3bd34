import type { OperationKind } from '../../helm/names.ts';
import { allow } from '../verdict.ts';
import { refuseFrozen, refuseInFlight } from './refuse.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

/** An operation wants to begin: not on a frozen release, not beside another one, and over a dead one as a takeover. */
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
