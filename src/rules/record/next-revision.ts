import type { ReleaseRecord } from '../../helm/record.ts';
import { newestOf, type ReleaseFacts } from '../in-flight.ts';
import type { Verdict } from '../verdict.ts';
import { protect } from './refuse.ts';
import type { RecordContext } from './write.ts';

/**
 * The highest number that Helm can give to the next revision. Helm counts on from the newest revision that it has seen, and may prune that one
 * before it stores the next (`--history-max 1` after a failed upgrade). The claim tells of the pruned one.
 */
export const nextRevision = ({ records, claim }: ReleaseFacts): number => {
  const [stored] = records;
  const newest = stored === undefined ? 0 : (newestOf(records, stored.kind)?.revision ?? 0);
  return Math.max(newest, claim?.revision ?? 0) + 1;
};

/** Helm keeps ten revisions by default. As many may have been pruned of a release whose operations Belay has not seen. */
const UNSEEN_REVISIONS = 10;

/**
 * Refuses an operation whose revision does not follow the newest one. Helm numbers its revisions one by one, and a number far ahead would
 * leave none for the next operation.
 */
export const refuseFarAhead = ({ write, facts }: RecordContext, after: ReleaseRecord): Verdict | undefined => {
  const next = nextRevision(facts);
  const unseen = facts.claim === undefined ? UNSEEN_REVISIONS : 0;
  if (after.revision <= next + unseen) return undefined;
  return protect(
    write,
    after,
    next === 1 ? 'the first revision of a release is 1' : `the next revision of the release is ${next}`,
    'run the command again: Helm numbers its revisions one by one',
  );
};
