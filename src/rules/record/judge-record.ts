import type { Freeze } from '../../policy/lock.ts';
import { findOperation, type ReleaseFacts, type StaleClock } from '../in-flight.ts';
import { allow } from '../verdict.ts';
import { judgeCreate } from './create.ts';
import { judgeDelete } from './delete.ts';
import { refuseOwner } from './owners.ts';
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
  if (write.before !== undefined && write.after !== undefined) {
    const verdict = judgeUpdate(context, write.before, write.after);
    return (verdict.allowed && write.gainsOwner && refuseOwner(context, write.before, verdict)) || verdict;
  }
  if (write.after !== undefined) return judgeCreate(context, write.after);
  if (write.before !== undefined) return judgeDelete(context, write.before);
  return allow('nothing');
};
