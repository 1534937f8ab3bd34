import { type ReleaseRecord, recordName } from '../../helm/record.ts';
import type { Verdict } from '../verdict.ts';
import { protect } from './refuse.ts';
import type { RecordWrite } from './write.ts';

/** Refuses a record whose name, labels and payload disagree (docs/design.md#records); undefined when they agree. */
export const findDisagreement = (write: RecordWrite, record: ReleaseRecord): Verdict | undefined => {
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
