import type { Claims } from '../../facts/claims.ts';
import type { Manifest, Manifests } from '../../facts/manifests.ts';
import type { Situation } from '../../facts/situation.ts';
import { findDocument, type ManifestDocument } from '../../helm/manifest.ts';
import type { ReleaseRecord } from '../../helm/record.ts';
import type { LeftWhen } from '../../policy/left-paths.ts';
import { isTrusted } from '../../policy/subjects.ts';
import { judgeUnder } from '../../rules/actions.ts';
import { findFreezes } from '../../rules/locks.ts';
import { judgeFromMetadata, judgeObject, passTrusted } from '../../rules/object.ts';
import { allow, type Verdict } from '../../rules/verdict.ts';
import type { Now } from '../wire/answer.ts';
import { byFirstListing } from './by-first-listing.ts';
import type { GovernedWrite } from './governed-write.ts';
import { leftPaths, toManifestFacts } from './manifest-facts.ts';
import { warningsOfRestored } from './restored-warnings.ts';

export interface JudgeBySituationDependencies {
  readonly manifests: Manifests;
  readonly claims: Pick<Claims, 'noteHolderWrite'>;
}

/** Judges a write by one situation of the release. Undefined when the record that governs is gone, or cannot be read. */
export const judgeBySituation = (
  { claims, manifests }: JudgeBySituationDependencies,
  governed: GovernedWrite,
  situation: Situation,
  when: LeftWhen,
  signal: AbortSignal,
): Now<Verdict | undefined> => {
  const { write, owner, user, dryRun, changes } = governed;
  const { facts, namespaces, policy, clock, operation } = situation;
  const freezes = findFreezes(facts.records, namespaces, policy, clock.nowMs);
  const isFrozen = freezes.length > 0;
  const serialized = policy.operations.action === 'Deny';
  const outlook = judgeFromMetadata(write, facts, { operation, frozen: isFrozen, serialized });
  if (outlook.settled) {
    if (outlook.byHolder && !dryRun) claims.noteHolderWrite(write.release, write.username, clock.staleAfterMs);
    return outlook.verdict;
  }
  if (changes.isNone()) return allow('unchanged');
  if (isTrusted(policy.drift.trusted, user, isFrozen)) return passTrusted(policy.name ?? '');
  const { candidates, state } = outlook;
  const isDeleteInFlight = write.attempt === 'delete' && state.state === 'in-flight';
  if (policy.drift.action === 'Off' && !isFrozen && !isDeleteInFlight) return allow('off');

  const before = { governed, situation, state, freezes, when };
  const judgeListed = (governing: ReleaseRecord, manifest: Manifest, listed: ManifestDocument | undefined): Verdict => {
    const known = toManifestFacts(before, governing, manifest, listed);
    const verdict = judgeUnder(policy, (waived) => judgeObject(write, known, waived));
    if (!verdict.allowed || listed === undefined) return verdict;
    const left = leftPaths(before, listed.document, isFrozen);
    const warnings = warningsOfRestored(write, changes, listed.document, { policy, left, why: verdict.why });
    return warnings.length === 0 ? verdict : { ...verdict, warnings };
  };
  const find = (manifest: Manifest): ManifestDocument | undefined =>
    // The objects of a release elsewhere carry other marks.
    manifest.namespace === owner.namespace
      ? findDocument(manifest.documents, manifest.namespace, write.object)
      : undefined;
  const judgeBy = (
    governing: ReleaseRecord,
    manifest: Manifest,
    listed: ManifestDocument | undefined,
  ): Now<Verdict> => {
    if (manifest.namespace !== owner.namespace) return allow('another namespace');
    const prepared = listed && changes.prepare(listed.document, signal);
    const judge = (): Verdict => judgeListed(governing, manifest, listed);
    return prepared === undefined ? judge() : prepared.then(judge);
  };
  return byFirstListing(manifests, candidates, write.object, { find, judgeBy });
};
