import type { Autoscalers } from '../../facts/autoscalers.ts';
import type { Claims } from '../../facts/claims.ts';
import type { DeleteHooks } from '../../facts/delete-hooks.ts';
import type { InstalledPresets } from '../../facts/installed-presets.ts';
import type { Manifest, Manifests } from '../../facts/manifests.ts';
import type { ReleaseIndex } from '../../facts/release-index.ts';
import type { Situation, Situations } from '../../facts/situation.ts';
import { findDocument, type ManifestDocument } from '../../helm/manifest.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import { isServiceAccount } from '../../kubernetes/object.ts';
import { AnswerTooLarge } from '../../kubernetes/read-list.ts';
import { asksForInstalled, type LeftWhen, leftPathsFor, NOTHING_MORE } from '../../policy/left-paths.ts';
import type { Policy } from '../../policy/policy.ts';
import { findResembling } from '../../policy/presets/resembling.ts';
import { isTrusted } from '../../policy/subjects.ts';
import { judgeUnder } from '../../rules/actions.ts';
import { HELM_MANAGER } from '../../rules/drift/field-ownership.ts';
import { HOOK_OF_OPERATION, isAccountOfHook, operationWithHooks } from '../../rules/hook-account.ts';
import { isHolderUnknown } from '../../rules/in-flight.ts';
import { findFreezes, findMaintenanceWindow } from '../../rules/locks.ts';
import {
  judgeFromMetadata,
  judgeObject,
  type ObjectWrite,
  passTrusted,
  RECREATES,
  RESTORES_CHART,
} from '../../rules/object.ts';
import { isUninstallRefused } from '../../rules/refused-uninstall.ts';
import { allow, type Denial, deny, type FieldChange, type Verdict } from '../../rules/verdict.ts';
import { warnOfCreator, warnOfOwners } from '../explain/ownership.ts';
import type { Now } from '../wire/answer.ts';
import type { Deadline } from '../wire/review.ts';
import { type Changes, type GovernedWrite, scopeOf } from './governed-write.ts';

export interface JudgeInStoreDependencies {
  readonly situations: Pick<Situations, 'fromMemory' | 'live'>;
  readonly index: Pick<ReleaseIndex, 'isFresh'>;
  readonly manifests: Manifests;
  readonly claims: Pick<Claims, 'noteHolderWrite'>;
  readonly autoscalers: Autoscalers;
  readonly presets: InstalledPresets;
  readonly deleteHooks: Pick<DeleteHooks, 'of'>;
}

/** Judges a write by one situation of the release. Undefined when the record that governs is gone, or cannot be read. */
const judgeIn = (
  { claims, manifests }: JudgeInStoreDependencies,
  { write, owner, user, dryRun, changes }: GovernedWrite,
  { facts, namespaces, policy, clock, operation }: Situation,
  when: LeftWhen,
  signal: AbortSignal,
): Now<Verdict | undefined> => {
  const freezes = findFreezes(facts.records, namespaces, policy, clock.nowMs);
  const serialized = policy.operations.action === 'Deny';
  const outlook = judgeFromMetadata(write, facts, { operation, frozen: freezes.length > 0, serialized });
  if (outlook.settled) {
    if (outlook.byHolder && !dryRun) claims.noteHolderWrite(write.release, write.username, clock.staleAfterMs);
    return outlook.verdict;
  }
  if (changes.isNone()) return allow('unchanged');
  const isFrozen = freezes.length > 0;
  if (isTrusted(policy.drift.trusted, user, isFrozen)) return passTrusted(policy.name ?? '');
  const { candidates, state } = outlook;
  const isDeleteInFlight = write.attempt === 'delete' && state.state === 'in-flight';
  if (policy.drift.action === 'Off' && freezes.length === 0 && !isDeleteInFlight) return allow('off');

  const judgeListed = (governing: ReleaseRecord, manifest: Manifest, listed: ManifestDocument | undefined): Verdict => {
    const isEdit = write.attempt === 'change' || write.attempt === 'scale';
    const leftIn = (document: Record<string, unknown>, frozen: boolean): readonly string[] =>
      leftPathsFor(policy.drift, { user, object: write.object, document }, when, frozen);
    const changesOf = (frozen: boolean): readonly FieldChange[] =>
      listed === undefined || !isEdit ? [] : changes.find(listed.document, policy, leftIn(listed.document, frozen));
    const governed = {
      governing,
      state,
      chart: `${manifest.chart.name}-${manifest.chart.version}`,
      listed: listed !== undefined,
      changes: changesOf(false),
      ...(isFrozen && { changesWhileFrozen: changesOf(true) }),
      ...(isFrozen && isTrusted(policy.drift.trusted, user) && { trustedBy: policy.name ?? '' }),
      restores:
        listed !== undefined &&
        write.attempt === 'create' &&
        changes.restores(listed.document, policy, leftIn(listed.document, false)),
      gainsOwner: isFrozen && isEdit && changes.gainsOwner(),
      restarts:
        listed !== undefined &&
        isFrozen &&
        isEdit &&
        changes.restarts(listed.document, policy, leftIn(listed.document, true)),
      ...(isFrozen && changes.podLabels && { podLabels: changes.podLabels() }),
      presetFor: (changed: readonly FieldChange[]) => {
        if (listed === undefined) return undefined;
        const writer = { user, object: write.object, document: listed.document };
        const found = findResembling(
          writer,
          changed.map(({ pointer }) => pointer),
        );
        return found && { ...found, policy: policy.name };
      },
      freezes,
      uninstallRefused: isUninstallRefused(facts.claim, write.username),
      open: findMaintenanceWindow(facts.records, namespaces, clock.nowMs),
    };
    const verdict = judgeUnder(policy, (waived) => judgeObject(write, governed, waived));
    if (!verdict.allowed || listed === undefined) return verdict;
    const left = leftIn(listed.document, isFrozen);
    const warnings = warningsOf(write, changes, listed.document, { policy, left, why: verdict.why });
    return warnings.length === 0 ? verdict : { ...verdict, warnings };
  };
  const judgeBy = (governing: ReleaseRecord, manifest: Manifest): Now<Verdict> => {
    // The objects of this release carry other marks.
    if (manifest.namespace !== owner.namespace) return allow('another namespace');
    const listed = findDocument(manifest.documents, manifest.namespace, write.object);
    const prepared = listed && changes.prepare(listed.document, signal);
    const judge = (): Verdict => judgeListed(governing, manifest, listed);
    return prepared === undefined ? judge() : prepared.then(judge);
  };
  const lists = ({ namespace, documents }: Manifest): boolean =>
    namespace === owner.namespace && findDocument(documents, namespace, write.object) !== undefined;
  return byFirst(manifests, candidates, write.object, { lists, judgeBy });
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
  when: LeftWhen,
  signal: AbortSignal,
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
  const judged = judgeIn(dependencies, governed, situation, when, signal);
  return judged instanceof Promise ? judged.then(unlessHook) : unlessHook(judged);
};

interface ByManifest {
  readonly lists: (manifest: Manifest) => boolean;
  readonly judgeBy: (governing: ReleaseRecord, manifest: Manifest) => Now<Verdict>;
}

/**
 * Judges by the first candidate that lists the object: nobody gets an object out by a record that lists nothing. Where none lists it, the
 * last that could be read says so. A candidate that takes too long to read fails the judgement, unless an earlier one lists the object.
 */
const byFirst = (
  manifests: Manifests,
  candidates: readonly ReleaseRecord[],
  object: ObjectWrite['object'],
  { lists, judgeBy }: ByManifest,
): Now<Verdict | undefined> => {
  let verdict: Now<Verdict> | undefined;
  for (const [index, candidate] of candidates.entries()) {
    const cached = manifests.cached(candidate, object);
    if (cached === undefined) {
      const others = candidates.slice(index + 1);
      return manifests.of(candidate, object).then(async (manifest) => {
        if (manifest !== undefined && lists(manifest)) return judgeBy(candidate, manifest);
        const unlisted = manifest === undefined ? verdict : judgeBy(candidate, manifest);
        return (await byFirst(manifests, others, object, { lists, judgeBy })) ?? unlisted;
      });
    }
    verdict = judgeBy(candidate, cached);
    if (lists(cached)) return verdict;
  }
  return verdict;
};

/** Whoever brings back what the chart sets is told when Helm does not own it afterwards. */
const warningsOf = (
  { release, object }: GovernedWrite['write'],
  changes: Changes,
  document: Record<string, unknown>,
  { policy, left, why }: { readonly policy: Policy; readonly left: readonly string[]; readonly why: string },
): readonly string[] => {
  if (why !== RESTORES_CHART) return warnOfOwners(release, changes.restored(document, policy, left));
  const creator = changes.creator();
  return creator === undefined || creator === HELM_MANAGER ? [] : warnOfCreator(release, object, creator);
};

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

type Drift = Extract<Denial, { code: 'BelayDrift' }>;

/** The drift for which a write is refused, or would be if the policy enforced it. */
const driftIn = (verdict: Verdict): Drift | undefined =>
  (verdict.allowed ? (verdict.waived ?? []).map(({ denial }) => denial) : [verdict.denial]).find(
    (denial): denial is Drift => denial.code === 'BelayDrift',
  );

/** What is asked only before a write is refused: which controllers are installed, and whether an autoscaler sets the number of replicas. */
const lookFurther = async (
  { autoscalers, presets }: JudgeInStoreDependencies,
  { write: { username, object } }: GovernedWrite,
  policy: Policy,
  drift: Drift | undefined,
  signal: AbortSignal,
): Promise<LeftWhen | undefined> => {
  if (drift === undefined || drift.changes.length === 0) return undefined;
  // To people the number is as any other that the chart leaves out.
  const isScaling =
    scopeOf(policy, username) === 'ChartFields' && drift.changes.some(({ pointer }) => pointer === '/spec/replicas');
  const isAsked = asksForInstalled(policy.drift);
  if (!isScaling && !isAsked) return undefined;
  const [autoscaled, installed] = await Promise.all([
    isScaling && autoscalers.target(object, signal),
    isAsked ? presets.find(signal) : [],
  ]);
  return { autoscaled, installed };
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
  const when = await lookFurther(dependencies, governed, situation.policy, driftIn(verdict), signal);
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
