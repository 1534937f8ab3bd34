import type { ReleaseName } from '../../helm/names.ts';
import { allow, type Verdict } from '../../rules/verdict.ts';
import type { ReviewDependencies } from '../dependencies.ts';
import type { Now } from '../wire/answer.ts';
import type { Deadline } from '../wire/review.ts';
import type { GovernedWrite } from './governed-write.ts';
import { judgeInStore } from './judge-in-store.ts';

/** Of several releases that an object is or was part of, and of several places of records, each has its say. */
export const together = (first: Verdict, second: Verdict): Verdict => {
  if (!first.allowed) return first;
  if (!second.allowed) return second;
  const waived = [...(first.waived ?? []), ...(second.waived ?? [])];
  const told = second.notes === undefined ? first : second;
  return { ...told, audit: { ...first.audit, ...second.audit }, ...(waived.length > 0 && { waived }) };
};

/** A record that was forged in one place never speaks for another. */
const judgeStores = async (
  dependencies: ReviewDependencies,
  governed: GovernedWrite,
  deadline: Deadline,
  stores: Now<readonly ReleaseName[]>,
): Promise<Verdict> => {
  let verdict: Verdict = allow('no release');
  for (const release of await stores) {
    const inStore = { ...governed, write: { ...governed.write, release } };
    verdict = together(verdict, await judgeInStore(dependencies, inStore, deadline));
    if (!verdict.allowed) break;
  }
  return verdict;
};

/** Judges a write by every release that may govern the object: mostly one, whose records lie beside it. */
export const judgeGoverned = (
  dependencies: ReviewDependencies,
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
