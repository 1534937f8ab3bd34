import type { DeleteHooks } from '../../facts/delete-hooks.ts';
import type { Situation } from '../../facts/situation.ts';
import { isServiceAccount } from '../../kubernetes/object.ts';
import type { LeftWhen } from '../../policy/left-paths.ts';
import { HOOK_OF_OPERATION, isAccountOfHook, operationWithHooks } from '../../rules/hook-account.ts';
import { recordOf } from '../../rules/in-flight.ts';
import { findFreezes } from '../../rules/locks.ts';
import { RECREATES } from '../../rules/object.ts';
import { isUninstallRefused } from '../../rules/refused-uninstall.ts';
import { allow, deny, type Verdict } from '../../rules/verdict.ts';
import type { Now } from '../wire/answer.ts';
import type { GovernedWrite } from './governed-write.ts';
import { type JudgeBySituationDependencies, judgeBySituation } from './judge-by-situation.ts';

export interface JudgeWithHooksDependencies extends JudgeBySituationDependencies {
  readonly deleteHooks: Pick<DeleteHooks, 'of'>;
}

/** Whether the verdict is a refusal, enforced or not. */
const isRefused = (verdict: Verdict | undefined): boolean =>
  verdict !== undefined && (!verdict.allowed || verdict.waived !== undefined);

const ofRefusedUninstall = (verdict: Verdict | undefined): Verdict | undefined =>
  verdict?.allowed === false && verdict.denial.code === 'BelayOperationInFlight'
    ? deny({ ...verdict.denial, ofRefusedUninstall: true })
    : verdict;

/** Judges a write by one situation, and asks the hooks of the operation in flight before it refuses a service account. */
export const judgeWithHooks = (
  dependencies: JudgeWithHooksDependencies,
  governed: GovernedWrite,
  situation: Situation,
  when: LeftWhen,
  signal: AbortSignal,
): Now<Verdict | undefined> => {
  const { write, dryRun } = governed;
  const { facts, namespaces, policy, clock, operation } = situation;
  const settle = async (verdict: Verdict | undefined): Promise<Verdict | undefined> => {
    const frozen = findFreezes(facts.records, namespaces, policy, clock.nowMs).length > 0;
    const inFlight = operationWithHooks(operation, frozen);
    const record = inFlight && recordOf(facts, inFlight);
    if (inFlight?.holder === undefined || record === undefined) return verdict;
    // Where the API server does not tell the hooks, the refusal stands: without them it was right, and a locked release stays locked.
    const stored = await dependencies.deleteHooks.of(record).catch(() => undefined);
    if (stored === undefined || !isAccountOfHook(write.username, inFlight, stored, write.object)) return verdict;
    if (write.attempt === 'delete' && isUninstallRefused(facts.claim, write.username))
      return ofRefusedUninstall(verdict);
    if (!dryRun) dependencies.claims.noteHolderWrite(write.release, inFlight.holder, clock.staleAfterMs);
    return allow(write.attempt === 'delete' ? RECREATES : HOOK_OF_OPERATION);
  };
  const unlessHook = (verdict: Verdict | undefined): Now<Verdict | undefined> =>
    isRefused(verdict) && isServiceAccount(write.username) && operation.state !== 'idle' ? settle(verdict) : verdict;
  const judged = judgeBySituation(dependencies, governed, situation, when, signal);
  return judged instanceof Promise ? judged.then(unlessHook) : unlessHook(judged);
};
