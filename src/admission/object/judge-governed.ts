import type { ReleaseStores } from '../../facts/release-stores.ts';
import type { ReleaseName } from '../../helm/names.ts';
import { allow, type Verdict } from '../../rules/verdict.ts';
import { joinVerdicts } from '../join-verdicts.ts';
import type { Now } from '../wire/answer.ts';
import type { Deadline } from '../wire/review.ts';
import type { GovernedWrite } from './governed-write.ts';
import { type JudgeInStoreDependencies, judgeInStore } from './judge-in-store.ts';

export interface JudgeGovernedDependencies extends JudgeInStoreDependencies {
  readonly stores: ReleaseStores;
}

/** Each store is judged by its own records, so that a record forged in one store never speaks for another. */
const judgeStores = async (
  dependencies: JudgeGovernedDependencies,
  governed: GovernedWrite,
  deadline: Deadline,
  stores: Now<readonly ReleaseName[]>,
): Promise<Verdict> => {
  let verdict: Verdict = allow('no release');
  for (const release of await stores) {
    const inStore = { ...governed, write: { ...governed.write, release } };
    verdict = joinVerdicts(verdict, await judgeInStore(dependencies, inStore, deadline));
    if (!verdict.allowed) break;
  }
  return verdict;
};

/** Judges a write by every release that may govern the object. Mostly there is one, and its records lie in the object's namespace. */
export const judgeGoverned = (
  dependencies: JudgeGovernedDependencies,
  governed: GovernedWrite,
  deadline: Deadline,
): Now<Verdict> => {
  const { owner, changes } = governed;
  const stores = dependencies.stores.of(owner, deadline.signal);
  if (stores instanceof Promise ? changes.isNone() : stores.length === 1) {
    return judgeInStore(dependencies, governed, deadline);
  }
  return judgeStores(dependencies, governed, deadline, stores);
};
