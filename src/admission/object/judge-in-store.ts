import type { Claims } from '../../facts/claims.ts';
import type { DeleteHooks } from '../../facts/delete-hooks.ts';
import type { Manifest, Manifests } from '../../facts/manifests.ts';
import type { ReleaseIndex } from '../../facts/release-index.ts';
import type { Situation, Situations } from '../../facts/situation.ts';
import { findDocument } from '../../helm/manifest.ts';
import { isServiceAccount } from '../../kubernetes/object.ts';
import type { Policy } from '../../policy/policy.ts';
import { isTrusted } from '../../policy/subjects.ts';
import { judgeUnder } from '../../rules/actions.ts';
import { HOOK_OF_OPERATION, isAccountOfHook, operationWithHooks } from '../../rules/hook-account.ts';
import { isHolderUnknown } from '../../rules/in-flight.ts';
import { findFreezes, findMaintenanceWindow } from '../../rules/locks.ts';
import { judgeFromMetadata, judgeObject, RECREATES, RESTORES_CHART } from '../../rules/object.ts';
import { isUninstallRefused } from '../../rules/refused-uninstall.ts';
import { allow, deny, type Verdict } from '../../rules/verdict.ts';
import type { Now } from '../wire/answer.ts';
import type { Deadline } from '../wire/review.ts';
import type { GovernedWrite } from './governed-write.ts';

export interface JudgeInStoreDependencies {
  readonly situations: Pick<Situations, 'fromMemory' | 'live'>;
  readonly index: Pick<ReleaseIndex, 'isFresh'>;
  readonly manifests: Manifests;
  readonly claims: Pick<Claims, 'noteHolderWrite'>;
  readonly deleteHooks: Pick<DeleteHooks, 'of'>;
}

/** Judges a write by one situation of the release. Undefined when the record that governs is gone, or cannot be read. */
const judgeIn = (
  { claims, manifests }: JudgeInStoreDependencies,
  { write, owner, user, dryRun, changes }: GovernedWrite,
  { facts, namespaces, policy, clock, operation }: Situation,
): Now<Verdict | undefined> => {
  const freezes = findFreezes(facts.records, namespaces, policy, clock.nowMs);
  const serialized = policy.operations.action === 'Deny';
  const outlook = judgeFromMetadata(write, facts, { operation, frozen: freezes.length > 0, serialized });
  if (outlook.settled) {
    if (outlook.byHolder && !dryRun) claims.noteHolderWrite(write.release, write.username, clock.staleAfterMs);
    return outlook.verdict;
  }
  if (changes.isNone()) return allow('unchanged');
  if (isTrusted(policy.drift.trusted, user)) return passTrusted(policy);
  const { governing, state } = outlook;
  const isDeleteInFlight = write.attempt === 'delete' && state.state === 'in-flight';
  if (policy.drift.action === 'Off' && freezes.length === 0 && !isDeleteInFlight) return allow('off');

  const judgeBy = (manifest: Manifest | undefined): Verdict | undefined => {
    if (manifest === undefined) return undefined;
    // The objects of this release carry other marks.
    if (manifest.namespace !== owner.namespace) return allow('another namespace');
    const listed = findDocument(manifest.documents, manifest.namespace, write.object);
    const isEdit = write.attempt === 'change' || write.attempt === 'scale';
    const governed = {
      governing,
      state,
      chart: `${manifest.chart.name}-${manifest.chart.version}`,
      listed: listed !== undefined,
      changes: listed === undefined || !isEdit ? [] : changes.find(listed.document, policy),
      restores: listed !== undefined && write.attempt === 'create' && changes.restores(listed.document, policy),
      gainsOwner: freezes.length > 0 && isEdit && changes.gainsOwner(),
      restarts: listed !== undefined && freezes.length > 0 && isEdit && changes.restarts(listed.document, policy),
      freezes,
      uninstallRefused: isUninstallRefused(facts.claim, write.username),
      open: findMaintenanceWindow(facts.records, namespaces, clock.nowMs),
    };
    return judgeUnder(policy, (waived) => judgeObject(write, governed, waived));
  };
  const cached = manifests.cached(governing, write.object);
  return cached === undefined ? manifests.of(governing, write.object).then(judgeBy) : judgeBy(cached);
};

/** Whether the verdict is a refusal, enforced or not. */
const isRefused = (verdict: Verdict | undefined): boolean =>
  verdict !== undefined && (!verdict.allowed || verdict.waived !== undefined);

const ofRefusedUninstall = (verdict: Verdict | undefined): Verdict | undefined =>
  verdict?.allowed === false && verdict.denial.code === 'BelayOperationInFlight'
    ? deny({ ...verdict.denial, ofRefusedUninstall: true })
    : verdict;

/** Judges a write by one situation, and asks the hooks of the operation in flight before it refuses a service account. */
const judgeWithHooks = (
  dependencies: JudgeInStoreDependencies,
  governed: GovernedWrite,
  situation: Situation,
): Now<Verdict | undefined> => {
  const { write, dryRun } = governed;
  const { facts, namespaces, policy, clock, operation } = situation;
  const settle = async (verdict: Verdict | undefined): Promise<Verdict | undefined> => {
    const frozen = findFreezes(facts.records, namespaces, policy, clock.nowMs).length > 0;
    const inFlight = operationWithHooks(operation, frozen);
    const record = facts.records.find(
      ({ kind, name }) => kind === inFlight?.record?.kind && name === inFlight.record.name,
    );
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
  const judged = judgeIn(dependencies, governed, situation);
  return judged instanceof Promise ? judged.then(unlessHook) : unlessHook(judged);
};

const passTrusted = ({ name }: Policy): Verdict => ({
  allowed: true,
  why: 'trusted',
  audit: { trusted: `the writer is trusted by ReleasePolicy ${name ?? ''}` },
});

/**
 * Memory may be stale. So a verdict from memory counts only where the write passes and nothing is told of it. Before a refusal, enforced or
 * not, the facts are read live. The same goes for two rare writes: one that brings an object back passes only without a freeze and an operation, and an
 * operation deletes an object of its own manifest only where no uninstall was refused meanwhile.
 */
const isCertain = (verdict: Verdict | undefined): verdict is Verdict =>
  verdict?.allowed === true &&
  verdict.waived === undefined &&
  verdict.why !== RESTORES_CHART &&
  verdict.why !== RECREATES;

const judgeLive = async (
  dependencies: JudgeInStoreDependencies,
  governed: GovernedWrite,
  { signal }: Deadline,
): Promise<Verdict> => {
  const { write, owner } = governed;
  const situation = await dependencies.situations.live(write.release, signal, owner.namespace);
  if ((situation.home ?? situation.namespace)?.terminating === true) return allow('terminating namespace');
  return (await judgeWithHooks(dependencies, governed, situation)) ?? allow('no manifest');
};

/** Judges from memory first, and reads the facts live before it refuses (docs/design.md#never-refuse-from-memory). */
export const judgeInStore = (
  dependencies: JudgeInStoreDependencies,
  governed: GovernedWrite,
  deadline: Deadline,
): Now<Verdict> => {
  const { write, owner } = governed;
  const known = dependencies.situations.fromMemory(write.release, owner.namespace);
  // Records and claims come by two watches: a holder may be unknown only because its claim has not come in yet.
  // A mirror that has lost its watch misses every lock, install and end of an operation since then.
  if (!dependencies.index.isFresh() || isHolderUnknown(known.operation)) {
    return governed.changes.isNone() ? allow('unchanged') : judgeLive(dependencies, governed, deadline);
  }
  const settle = (verdict: Verdict | undefined): Now<Verdict> =>
    isCertain(verdict) ? verdict : judgeLive(dependencies, governed, deadline);
  const remembered = judgeWithHooks(dependencies, governed, known);
  return remembered instanceof Promise ? remembered.then(settle) : settle(remembered);
};
