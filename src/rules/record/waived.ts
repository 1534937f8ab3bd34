import type { OperationKind } from '../../helm/names.ts';
import { allow, type Denial } from '../verdict.ts';
import type { RecordVerdict, RecordWrite } from './write.ts';

const OPERATIONS: ReadonlySet<string> = new Set<OperationKind>(['install', 'upgrade', 'rollback', 'uninstall']);

/**
 * Allows a write of a record that a rule refuses and the policy does not enforce. An operation that starts beside another one still claims
 * the release, so the operation that started last is the holder.
 */
export const passWaived = (write: RecordWrite, denial: Denial): RecordVerdict => {
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
