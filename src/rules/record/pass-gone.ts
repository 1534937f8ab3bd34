import type { ReleaseRecord } from '../../helm/record.ts';
import { CLAIM_VOID_AFTER_MS } from '../in-flight.ts';
import { allow } from '../verdict.ts';
import type { RecordContext, RecordVerdict } from './write.ts';

/**
 * Allows the delete of the record of the last operation. A claim without a record is believed for some seconds, because its record may be on
 * its way (in-flight.ts). This record has come and gone: the claim notes its version, so that the next operation need not wait. Helm's
 * `--atomic` with a short history, for one, prunes the failed revision at once and rolls back.
 */
export const passGone = (
  { facts: { claim }, clock: { nowMs } }: RecordContext,
  { revision, resourceVersion }: ReleaseRecord,
  why: string,
): RecordVerdict => {
  const isAwaited =
    claim !== undefined &&
    claim.operation !== 'uninstall' &&
    claim.revision === revision &&
    nowMs < claim.acquiredAtMs + CLAIM_VOID_AFTER_MS;
  if (!isAwaited) return allow(why);
  const { operation } = claim;
  return { ...allow(why), claim: { operation, revision, recordVersion: resourceVersion, takesOver: undefined } };
};
