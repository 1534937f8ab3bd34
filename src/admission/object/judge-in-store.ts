import type { Claims } from '../../facts/claims.ts';
import type { Manifest, Manifests } from '../../facts/manifests.ts';
import type { ReleaseIndex } from '../../facts/release-index.ts';
import type { Situation, Situations } from '../../facts/situation.ts';
import { findDocument, type ManifestDocument } from '../../helm/manifest.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import { AnswerTooLarge } from '../../kubernetes/read-list.ts';
import type { Policy } from '../../policy/policy.ts';
import { isTrusted } from '../../policy/subjects.ts';
import { judgeUnder } from '../../rules/actions.ts';
import { HELM_MANAGER } from '../../rules/drift/field-ownership.ts';
import { isHolderUnknown } from '../../rules/in-flight.ts';
import { findFreezes, findMaintenanceWindow } from '../../rules/locks.ts';
import { judgeFromMetadata, judgeObject, type ObjectWrite, RESTORES_CHART } from '../../rules/object.ts';
import { allow, type Verdict } from '../../rules/verdict.ts';
import { warnOfCreator, warnOfOwners } from '../explain/ownership.ts';
import type { Now } from '../wire/answer.ts';
import type { Deadline } from '../wire/review.ts';
import type { Changes, GovernedWrite } from './governed-write.ts';

export interface JudgeInStoreDependencies {
  readonly situations: Pick<Situations, 'fromMemory' | 'live'>;
  readonly index: Pick<ReleaseIndex, 'isFresh'>;
  readonly manifests: Manifests;
  readonly claims: Pick<Claims, 'noteHolderWrite'>;
}

/** Judges a write by one situation of the release. Undefined when the record that governs is gone, or cannot be read. */
const judgeIn = (
  { claims, manifests }: JudgeInStoreDependencies,
  { write, owner, user, dryRun, changes }: GovernedWrite,
  { facts, namespaces, policy, clock, operation }: Situation,
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
  if (isTrusted(policy.drift.trusted, user)) return passTrusted(policy);
  const { candidates, state } = outlook;
  const isDeleteInFlight = write.attempt === 'delete' && state.state === 'in-flight';
  if (policy.drift.action === 'Off' && freezes.length === 0 && !isDeleteInFlight) return allow('off');

  const judgeListed = (governing: ReleaseRecord, manifest: Manifest, listed: ManifestDocument | undefined): Verdict => {
    const isEdit = write.attempt === 'change' || write.attempt === 'scale';
    const governed = {
      governing,
      state,
      chart: `${manifest.chart.name}-${manifest.chart.version}`,
      listed: listed !== undefined,
      changes: listed === undefined || !isEdit ? [] : changes.find(listed.document, policy),
      restores: listed !== undefined && write.attempt === 'create' && changes.restores(listed.document),
      gainsOwner: freezes.length > 0 && isEdit && changes.gainsOwner(),
      restarts: listed !== undefined && freezes.length > 0 && isEdit && changes.restarts(listed.document, policy),
      freezes,
      open: findMaintenanceWindow(facts.records, namespaces, clock.nowMs),
    };
    const verdict = judgeUnder(policy, (waived) => judgeObject(write, governed, waived));
    if (!verdict.allowed || listed === undefined) return verdict;
    const warnings = warningsOf(write, changes, listed.document, policy, verdict.why);
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
  policy: Policy,
  why: string,
): readonly string[] => {
  if (why !== RESTORES_CHART) return warnOfOwners(release, changes.restored(document, policy));
  const creator = changes.creator();
  return creator === undefined || creator === HELM_MANAGER ? [] : warnOfCreator(release, object, creator);
};

const passTrusted = ({ name }: Policy): Verdict => ({
  allowed: true,
  why: 'trusted',
  audit: { trusted: `the writer is trusted by ReleasePolicy ${name ?? ''}` },
});

/**
 * Memory may be stale. So a verdict from memory counts only where the write passes without a note. Before a refusal the facts are read live,
 * even where the policy does not enforce it. They are also read live before a write that brings an object back: such a write is rare, and passes
 * only without a freeze and without an operation.
 */
const isCertain = (verdict: Verdict | undefined): verdict is Verdict =>
  verdict?.allowed === true && verdict.waived === undefined && verdict.why !== RESTORES_CHART;

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
  return (await judgeIn(dependencies, governed, situation, signal)) ?? allow('no manifest');
};

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
  const remembered = judgeIn(dependencies, governed, known, deadline.signal);
  return remembered instanceof Promise ? remembered.then(settle) : settle(remembered);
};
