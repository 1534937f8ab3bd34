import type { AdmissionAnswer } from '../admission/answer.ts';
import type { Review } from '../admission/review.ts';
import { locksIn } from '../helm/record.ts';
import { findFreezes } from '../rules/locks.ts';
import { allow, deny } from '../rules/verdict.ts';
import type { ReviewDependencies } from './dependencies.ts';
import { refuseLockChange } from './lock-change.ts';

/** Judges locks written on a Namespace, and its DELETE while a release in it is frozen (DESIGN.md 4.2). */
export const reviewNamespace = async (
  dependencies: ReviewDependencies,
  review: Review,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  const name = review.name;
  const before = locksIn(review.oldObject?.metadata?.annotations);
  if (review.operation !== 'DELETE') {
    const after = locksIn(review.object?.metadata?.annotations);
    const source = { kind: 'Namespace', namespace: '', name } as const;
    const write = { review, release: { namespace: name, name: '' }, source, before, after };
    return (await refuseLockChange(dependencies, write, signal)) ?? allow('locks');
  }
  const records = await dependencies.live.releasesIn(name, signal);
  if (records.length === 0) return allow('no release');
  const freezes = findFreezes(records, { name, annotations: before, terminating: false }, dependencies.nowMs());
  const [first] = freezes;
  if (first === undefined) return allow('not frozen');
  const record =
    records.find((candidate) => candidate.name === first.source.name && candidate.kind === first.source.kind) ??
    records[0];
  return deny({
    code: 'BelayFrozen',
    release: { namespace: name, name: record?.release ?? '' },
    attempt: 'namespace delete',
    freezes,
    object: { group: '', kind: 'Namespace', namespace: '', name },
  });
};
