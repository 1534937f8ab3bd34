import type { LiveFacts } from '../facts/live-facts.ts';
import type { Policies } from '../facts/policies.ts';
import type { ReleaseIndex } from '../facts/release-index.ts';
import type { ReleaseName } from '../helm/names.ts';
import { locksIn, type ReleaseRecord } from '../helm/record.ts';
import type { Freeze } from '../policy/lock.ts';
import { waive } from '../rules/actions.ts';
import { findFreezes, type NamespaceFacts } from '../rules/locks.ts';
import { allow, deny, type Verdict } from '../rules/verdict.ts';
import { type FrozenElsewhereDependencies, findFrozenElsewhere } from './frozen-elsewhere.ts';
import { joinVerdicts } from './join-verdicts.ts';
import { type JudgeLockWriteDependencies, judgeLockWrite } from './lock-change.ts';
import type { AdmissionAnswer } from './wire/answer.ts';
import type { Review } from './wire/review.ts';

export interface ReviewNamespaceDependencies extends JudgeLockWriteDependencies, FrozenElsewhereDependencies {
  readonly live: Pick<LiveFacts, 'recordsIn'>;
  readonly policies: Pick<Policies, 'inForce' | 'isSynced'>;
  readonly index: Pick<ReleaseIndex, 'releases' | 'isSynced'>;
}

/** Judges locks written on a Namespace, and its DELETE while a frozen release has records or objects in it (docs/design.md#locks). */
export const reviewNamespace = async (
  dependencies: ReviewNamespaceDependencies,
  review: Review,
  signal: AbortSignal,
): Promise<AdmissionAnswer> => {
  const name = review.name;
  const before = locksIn(review.oldObject?.metadata?.annotations);
  if (review.operation !== 'DELETE') {
    const after = locksIn(review.object?.metadata?.annotations);
    const source = { kind: 'Namespace', namespace: '', name } as const;
    const write = { review, release: { namespace: name, name: '' }, source, before, after };
    return (await judgeLockWrite(dependencies, write, signal)) ?? allow('locks');
  }
  if (!dependencies.policies.isSynced()) {
    return deny({ code: 'BelayUnavailable', problem: 'the policies have not been read yet' });
  }
  const records = await dependencies.live.recordsIn(name, signal);
  const labels = review.oldObject?.metadata?.labels ?? {};
  const own =
    records.length === 0
      ? allow('no release')
      : judgeDelete(dependencies, { name, annotations: before, labels, terminating: false }, records);
  return own.allowed ? joinVerdicts(own, await judgeElsewhere(dependencies, name, signal)) : own;
};

/** An object of a frozen release stays, wherever the records of that release are. */
const judgeElsewhere = async (
  dependencies: ReviewNamespaceDependencies,
  name: string,
  signal: AbortSignal,
): Promise<Verdict> => {
  if (!dependencies.index.isSynced()) {
    return deny({ code: 'BelayUnavailable', problem: 'the records of all releases have not been read yet' });
  }
  let verdict: Verdict = allow('not frozen');
  for (const frozen of await findFrozenElsewhere(dependencies, name, signal)) {
    const { release } = frozen;
    if ('unread' in frozen) {
      const problem = `what the frozen release ${release.namespace}/${release.name} has in it could not be read: ${frozen.unread}`;
      return deny({ code: 'BelayUnavailable', problem });
    }
    verdict = waive(frozen.policy, verdict, refuse(name, release, frozen.freezes));
    if (!verdict.allowed) break;
  }
  return verdict;
};

/** Each release has its own policy in force. One release whose policy enforces its freeze is enough for a refusal. */
const judgeDelete = (
  { policies, nowMs }: ReviewNamespaceDependencies,
  namespace: NamespaceFacts,
  records: readonly ReleaseRecord[],
): Verdict => {
  let verdict: Verdict = allow('not frozen');
  const enforced: { release: ReleaseName; freezes: readonly Freeze[] }[] = [];
  for (const [name, own] of Map.groupBy(records, (record) => record.release)) {
    const release = { namespace: namespace.name, name };
    const policy = policies.inForce(release, namespace.labels);
    const freezes = findFreezes(own, [namespace], policy, nowMs());
    if (freezes.length === 0) continue;
    const next = waive(policy, verdict, refuse(namespace.name, release, freezes));
    if (next.allowed) verdict = next;
    else enforced.push({ release, freezes });
  }
  const [first] = enforced;
  if (first === undefined) return verdict;
  return refuse(namespace.name, first.release, distinct(enforced.flatMap(({ freezes }) => freezes)));
};

const refuse = (name: string, release: ReleaseName, freezes: readonly Freeze[]): Verdict =>
  deny({
    code: 'BelayFrozen',
    release,
    attempt: 'namespace delete',
    freezes,
    object: { group: '', kind: 'Namespace', namespace: '', name },
  });

/** A lock on the Namespace, or in a policy, holds for every release. The message has it once. */
const distinct = (freezes: readonly Freeze[]): readonly Freeze[] => [
  ...new Map(freezes.map((freeze) => [JSON.stringify([freeze.source, freeze.reason]), freeze])).values(),
];
