import type { OperationKind } from '../../helm/names.ts';
import { allow, type Denial } from '../verdict.ts';
import type { RecordVerdict, RecordWrite } from './write.ts';

const OPERATIONS: ReadonlySet<string> = new Set<OperationKind>(['install', 'upgrade', 'rollback', 'uninstall']);

/**
 * Lets a write of a record pass that the rules refuse and the policy does not enforce. An operation that begins beside another one
 * claims the release all the same: whoever began last is the holder, as it would be without Belay.
 */
export const passUnguarded = (write: RecordWrite, denial: Denial): RecordVerdict => {
  const passed = allow('waived');
  const attempt = 'attempt' in denial ? denial.attempt : '';
  if (write.after === undefined || !OPERATIONS.has(attempt)) return passed;
  return {
    ...passed,
    claim: {
      operation: attempt as OperationKind,
      revision: write.after.revision,
      recordVersion: write.before?.resourceVersion,
      takesOver: undefined,
    },
  };
};
