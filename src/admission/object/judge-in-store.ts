import type { ReleaseIndex } from '../../facts/release-index.ts';
import type { Situation, Situations } from '../../facts/situation.ts';
import { AnswerTooLarge } from '../../kubernetes/read-list.ts';
import { NOTHING_MORE } from '../../policy/left-paths.ts';
import { isHolderUnknown } from '../../rules/in-flight.ts';
import { RECREATES, RESTORES_CHART } from '../../rules/object.ts';
import { allow, type Verdict } from '../../rules/verdict.ts';
import type { Now } from '../wire/answer.ts';
import type { Deadline } from '../wire/review.ts';
import type { GovernedWrite } from './governed-write.ts';
import { type JudgeWithHooksDependencies, judgeWithHooks } from './judge-with-hooks.ts';
import { type LookFurtherDependencies, lookFurther } from './look-further.ts';

export interface JudgeInStoreDependencies extends JudgeWithHooksDependencies, LookFurtherDependencies {
  readonly situations: Pick<Situations, 'fromMemory' | 'live'>;
  readonly index: Pick<ReleaseIndex, 'isFresh'>;
}

/**
 * Memory may be stale. So a verdict from memory counts only where the write passes without a note. Before a refusal the facts are read live,
 * even where the policy does not enforce it. They are also read live before a write that brings an object back: such a write is rare, and passes
 * only without a freeze and without an operation.
 */
const isCertain = (verdict: Verdict | undefined): verdict is Verdict =>
  verdict?.allowed === true &&
  verdict.waived === undefined &&
  verdict.why !== RESTORES_CHART &&
  verdict.why !== RECREATES;

/**
 * What somebody has labelled as records of the release may be too much to read for each write. Then memory decides, which lags by moments at most: else
 * everybody who may write Secrets could make the release's objects pass unchecked.
 */
const readSituation = async (
  { situations, index }: JudgeInStoreDependencies,
  { write, owner }: GovernedWrite,
  signal: AbortSignal,
): Promise<Situation> => {
  try {
    return await situations.live(write.release, signal, owner.namespace);
  } catch (error) {
    if (error instanceof AnswerTooLarge && index.isFresh())
      return situations.fromMemory(write.release, owner.namespace);
    throw error;
  }
};

const judgeLive = async (
  dependencies: JudgeInStoreDependencies,
  governed: GovernedWrite,
  { signal }: Deadline,
): Promise<Verdict> => {
  const situation = await readSituation(dependencies, governed, signal);
  if ((situation.home ?? situation.namespace)?.terminating === true) return allow('terminating namespace');
  const verdict =
    (await judgeWithHooks(dependencies, governed, situation, NOTHING_MORE, signal)) ?? allow('no manifest');
  const when = await lookFurther(dependencies, governed, situation.policy, verdict, signal);
  const last =
    when === undefined ? verdict : ((await judgeWithHooks(dependencies, governed, situation, when, signal)) ?? verdict);
  return governed.dryRun && situation.policy.drift.dryRun === 'Warn' ? asRehearsed(last) : last;
};

/** Nothing is stored by a dry run. `kubectl diff` and the plans of other programs are made of them, by people who may do nothing else. */
const asRehearsed = (verdict: Verdict): Verdict =>
  verdict.allowed
    ? verdict
    : { allowed: true, why: 'dry run', waived: [{ action: 'Warn', denial: verdict.denial, isRehearsal: true }] };

/** Judges from memory first, and reads the facts live before it refuses (docs/design.md#never-refuse-from-memory). */
export const judgeInStore = (
  dependencies: JudgeInStoreDependencies,
  governed: GovernedWrite,
  deadline: Deadline,
): Now<Verdict> => {
  const { write, owner } = governed;
  const known = dependencies.situations.fromMemory(write.release, owner.namespace);
  // Records and claims come by two watches. A holder may be unknown only because the watch has not told of its claim yet.
  // A mirror that has lost its watch misses every lock, install and end of an operation since then.
  if (!dependencies.index.isFresh() || isHolderUnknown(known.operation)) {
    return governed.changes.isNone() ? allow('unchanged') : judgeLive(dependencies, governed, deadline);
  }
  const settle = (verdict: Verdict | undefined): Now<Verdict> =>
    isCertain(verdict) ? verdict : judgeLive(dependencies, governed, deadline);
  const remembered = judgeWithHooks(dependencies, governed, known, NOTHING_MORE, deadline.signal);
  return remembered instanceof Promise ? remembered.then(settle) : settle(remembered);
};
