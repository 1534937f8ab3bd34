import type { Manifest } from '../../facts/manifests.ts';
import { findDocument } from '../../helm/manifest.ts';
import type { ReleaseName } from '../../helm/names.ts';
import type { Policy } from '../../policy/policy.ts';
import { isTrusted } from '../../policy/subjects.ts';
import { judgeUnder } from '../../rules/actions.ts';
import {
  findOperation,
  isHolderUnknown,
  type OperationState,
  type ReleaseFacts,
  type StaleClock,
} from '../../rules/in-flight.ts';
import { findFreezes, findMaintenanceWindow, type NamespaceFacts } from '../../rules/locks.ts';
import { judgeFromMetadata, judgeObject, RESTORES_CHART } from '../../rules/object.ts';
import { allow, type Verdict } from '../../rules/verdict.ts';
import { clockOf, type ReviewDependencies } from '../dependencies.ts';
import type { Now } from '../wire/answer.ts';
import type { Deadline } from '../wire/review.ts';
import type { GovernedWrite } from './governed-write.ts';

/** What it is judged by: the facts, from memory or live, and the policy in force. */
interface Situation {
  readonly facts: ReleaseFacts;
  /** That of the records, whose labels choose the policy, and that of the objects where it is another one. */
  readonly namespaces: readonly NamespaceFacts[];
  readonly policy: Policy;
  readonly clock: StaleClock;
  readonly operation: OperationState;
}

const isKnown = (facts: NamespaceFacts | undefined): facts is NamespaceFacts => facts !== undefined;

const situationOf = (
  dependencies: ReviewDependencies,
  release: ReleaseName,
  facts: ReleaseFacts,
  namespace: NamespaceFacts | undefined,
  home: NamespaceFacts | undefined,
): Situation => {
  const policy = dependencies.policies.inForce(release, namespace?.labels ?? {});
  const clock = clockOf(dependencies, policy);
  const namespaces = home === undefined && namespace !== undefined ? [namespace] : [namespace, home].filter(isKnown);
  return { facts, namespaces, policy, clock, operation: findOperation(facts, clock) };
};

/** Undefined when the record that governs is gone, or holds nothing that can be read. */
const judgeIn = (
  { claims, manifests }: ReviewDependencies,
  { write, owner, user, dryRun, changes }: GovernedWrite,
  { facts, namespaces, policy, clock, operation }: Situation,
): Now<Verdict | undefined> => {
  const freezes = findFreezes(facts.records, namespaces, policy, clock.nowMs);
  const serialized = policy.operations.action === 'Deny';
  const outlook = judgeFromMetadata(write, facts, { operation, frozen: freezes.length > 0, serialized });
  if (outlook.settled) {
    if (outlook.byHolder && !dryRun) claims.heardFrom(write.release, write.username, clock.staleAfterMs);
    return outlook.verdict;
  }
  if (changes.isNone()) return allow('unchanged');
  if (isTrusted(policy.drift.trusted, user)) return passTrusted(policy);
  const { governing, state } = outlook;
  const isDeleteInFlight = write.attempt === 'delete' && state.state === 'in-flight';
  if (policy.drift.action === 'Off' && freezes.length === 0 && !isDeleteInFlight) return allow('off');

  const judgeBy = (manifest: Manifest | undefined): Verdict | undefined => {
    if (manifest === undefined) return undefined;
    // What this release has made carries other marks.
    if (manifest.namespace !== owner.namespace) return allow('another namespace');
    const listed = findDocument(manifest.documents, manifest.namespace, write.object);
    const isEdit = write.attempt === 'change' || write.attempt === 'scale';
    const governed = {
      governing,
      state,
      chart: `${manifest.chart.name}-${manifest.chart.version}`,
      listed: listed !== undefined,
      changes: listed === undefined || !isEdit ? [] : changes.find(listed.document, policy),
      restores: listed !== undefined && write.attempt === 'create' && changes.restores(listed.document),
      gainsOwner: freezes.length > 0 && isEdit && changes.gainsOwner(),
      freezes,
      open: findMaintenanceWindow(facts.records, namespaces, clock.nowMs),
    };
    return judgeUnder(policy, (waived) => judgeObject(write, governed, waived));
  };
  const cached = manifests.cached(governing);
  return cached === undefined ? manifests.of(governing).then(judgeBy) : judgeBy(cached);
};

const passTrusted = ({ name }: Policy): Verdict => ({
  allowed: true,
  why: 'trusted',
  audit: { trusted: `the writer is trusted by ReleasePolicy ${name ?? ''}` },
});

/**
 * Memory may be stale, so it settles only what passes without a word; a refusal, enforced or not, is read live first. So is what brings an
 * object back: that hangs on there being neither a freeze nor an operation, and is rare.
 */
const isCertain = (verdict: Verdict | undefined): verdict is Verdict =>
  verdict?.allowed === true && verdict.waived === undefined && verdict.why !== RESTORES_CHART;

const judgeLive = async (
  dependencies: ReviewDependencies,
  governed: GovernedWrite,
  { signal }: Deadline,
): Promise<Verdict> => {
  const { owner } = governed;
  const { release } = governed.write;
  const [facts, namespace, home] = await Promise.all([
    dependencies.live.release(release, signal),
    dependencies.live.namespace(release.namespace, signal),
    owner.namespace === release.namespace ? undefined : dependencies.live.namespace(owner.namespace, signal),
    dependencies.policies.refreshed(),
  ]);
  if ((home ?? namespace)?.terminating === true) return allow('terminating namespace');
  const verdict = await judgeIn(dependencies, governed, situationOf(dependencies, release, facts, namespace, home));
  return verdict ?? allow('no manifest');
};

/** Judges from memory first, and reads the facts live before it refuses (docs/design.md#never-refuse-from-memory). */
export const judgeInStore = (
  dependencies: ReviewDependencies,
  governed: GovernedWrite,
  deadline: Deadline,
): Now<Verdict> => {
  const { index } = dependencies;
  const { release } = governed.write;
  const { owner } = governed;
  const home = owner.namespace === release.namespace ? undefined : index.namespace(owner.namespace);
  const namespace = index.namespace(release.namespace);
  const known = situationOf(dependencies, release, index.facts(release), namespace, home);
  // Records and claims come by watches of their own: a holder may be unknown only because its claim has not come in yet.
  // A mirror that has lost its watch is no better than none: what was locked, installed or finished since would be judged as before.
  if (!index.isFresh() || isHolderUnknown(known.operation)) {
    return governed.changes.isNone() ? allow('unchanged') : judgeLive(dependencies, governed, deadline);
  }
  const settle = (verdict: Verdict | undefined): Now<Verdict> =>
    isCertain(verdict) ? verdict : judgeLive(dependencies, governed, deadline);
  const remembered = judgeIn(dependencies, governed, known);
  return remembered instanceof Promise ? remembered.then(settle) : settle(remembered);
};
