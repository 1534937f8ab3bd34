import type { Freeze } from '../../policy/lock.ts';
import { findOperation, type ReleaseFacts, type StaleClock } from '../in-flight.ts';
import { allow } from '../verdict.ts';
import { judgeCreate } from './create.ts';
import { judgeDelete } from './delete.ts';
import { judgeUpdate } from './update.ts';
import type { RecordContext, RecordVerdict, RecordWrite } from './write.ts';

/** Judges one write of a release record: docs/design.md#operations and docs/design.md#records. */
export const judgeRecord = (
  write: RecordWrite,
  facts: ReleaseFacts,
  freezes: readonly Freeze[],
  clock: StaleClock,
): RecordVerdict => {
  const context: RecordContext = { write, facts, freezes, state: findOperation(facts, clock), clock };
  if (write.before !== undefined && write.after !== undefined) return judgeUpdate(context, write.before, write.after);
  if (write.after !== undefined) return judgeCreate(context, write.after);
  if (write.before !== undefined) return judgeDelete(context, write.before);
  return allow('nothing');
};
