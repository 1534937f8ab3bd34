import type { AdmissionAnswer, Now } from '../admission/answer.ts';
import type { Deadline, Review, UserInfo } from '../admission/review.ts';
import type { Manifest } from '../cluster/manifests.ts';
import { findDocument } from '../helm/manifest.ts';
import type { DriftScope, Policy } from '../policy/policy.ts';
import { ignoredPathsFor, isTrusted } from '../policy/subjects.ts';
import { judgeUnder } from '../rules/actions.ts';
import { findDrift } from '../rules/drift/find-drift.ts';
import { isUnchanged } from '../rules/drift/is-unchanged.ts';
import {
  findOperation,
  isHolderUnknown,
  type OperationState,
  type ReleaseFacts,
  type StaleClock,
} from '../rules/in-flight.ts';
import { findFreezes, findOpen, type NamespaceFacts } from '../rules/locks.ts';
import { judgeObject, lookAtObject, type ObjectWrite } from '../rules/object.ts';
import { allow, type FieldChange, type ObjectRef, type ReleaseName, type Verdict } from '../rules/verdict.ts';
import { ownerOf } from './classify.ts';
import { clockOf, type ReviewDependencies } from './dependencies.ts';

/** Controllers run as service accounts; everybody else is a person (DESIGN.md 4.3). */
export const scopeOf = ({ drift }: Policy, username: string): DriftScope =>
  username.startsWith('system:serviceaccount:') ? drift.serviceAccounts : drift.users;

/** What a write changes, worked out only as far as the judgement needs it. */
export interface Changes {
  /** Whether it leaves the desired state as it was: then nothing else has to be asked. */
  isNone(): boolean;
  /** Given the chart's document; called only when the manifest lists the object. */
  find(document: Record<string, unknown>, policy: Policy): readonly FieldChange[];
}

/** A write of a governed object, or of its scale. */
export interface GovernedWrite {
  /** `release` is the store that is asked. */
  readonly write: ObjectWrite;
  /** What the object's ownership marks name; its records may lie in another namespace. */
  readonly owner: ReleaseName;
  readonly user: UserInfo;
  readonly changes: Changes;
}

/** What it is judged by: the facts, from memory or live, and the policy in force. */
interface Situation {
  readonly facts: ReleaseFacts;
  /** That of the records, whose labels choose the policy, and that of the objects where it is another one. */
  readonly namespaces: readonly NamespaceFacts[];
  readonly policy: Policy;
  readonly clock: StaleClock;
  readonly operation: OperationState;
}

const situationOf = (
  dependencies: ReviewDependencies,
  release: ReleaseName,
  facts: ReleaseFacts,
  namespace: NamespaceFacts | undefined,
  home: NamespaceFacts | undefined,
): Situation => {
  const policy = dependencies.policies.inForce(release, namespace?.labels ?? {});
  const clock = clockOf(dependencies, policy);
  const namespaces = [namespace, home].filter((facts) => facts !== undefined);
  return { facts, namespaces, policy, clock, operation: findOperation(facts, clock) };
};

/** Undefined when the record that governs is gone, or holds nothing that can be read. */
const judgeIn = (
  { claims, manifests }: ReviewDependencies,
  { write, owner, user, changes }: GovernedWrite,
  { facts, namespaces, policy, clock, operation }: Situation,
): Now<Verdict | undefined> => {
  const freezes = findFreezes(facts.records, namespaces, policy, clock.nowMs);
  const serialized = policy.operations.action === 'Deny';
  const outlook = lookAtObject(write, facts, { operation, frozen: freezes.length > 0, serialized });
  if (outlook.settled) {
    if (outlook.heardFromHolder) claims.heardFrom(write.release, write.username, clock.staleAfterMs);
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
      freezes,
      open: findOpen(facts.records, namespaces, clock.nowMs),
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

/** Memory may be stale, so it settles only what passes without a word; a refusal, enforced or not, is read live first. */
const isCertain = (verdict: Verdict | undefined): verdict is Verdict =>
  verdict?.allowed === true && verdict.waived === undefined;

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
  ]);
  if ((home ?? namespace)?.terminating === true) return allow('terminating namespace');
  const verdict = await judgeIn(dependencies, governed, situationOf(dependencies, release, facts, namespace, home));
  return verdict ?? allow('no manifest');
};

/** Judges from memory first, and reads the facts live before it refuses (DESIGN.md 4.4). */
const judgeStore = (dependencies: ReviewDependencies, governed: GovernedWrite, deadline: Deadline): Now<Verdict> => {
  const { index } = dependencies;
  const { release } = governed.write;
  const { owner } = governed;
  const home = owner.namespace === release.namespace ? undefined : index.namespace(owner.namespace);
  const namespace = index.namespace(release.namespace);
  const known = situationOf(dependencies, release, index.facts(release), namespace, home);
  // Records and claims come by watches of their own: a holder may be unknown only because its claim has not come in yet.
  if (!index.isSynced() || isHolderUnknown(known.operation)) {
    return governed.changes.isNone() ? allow('unchanged') : judgeLive(dependencies, governed, deadline);
  }
  const settle = (verdict: Verdict | undefined): Now<Verdict> =>
    isCertain(verdict) ? verdict : judgeLive(dependencies, governed, deadline);
  const remembered = judgeIn(dependencies, governed, known);
  return remembered instanceof Promise ? remembered.then(settle) : settle(remembered);
};

/** Of several releases that an object is or was part of, and of several places of records, each has its say. */
const together = (first: Verdict, second: Verdict): Verdict => {
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
    verdict = together(verdict, await judgeStore(dependencies, inStore, deadline));
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
    return judgeStore(dependencies, governed, deadline);
  }
  return judgeStores(dependencies, governed, deadline, stores);
};

const ATTEMPTS = { CREATE: 'create', UPDATE: 'change', DELETE: 'delete', CONNECT: 'change' } as const;

const releasesOf = (review: Review): readonly ReleaseName[] => {
  const before = ownerOf(review.oldObject);
  const after = ownerOf(review.object);
  const isSame = before !== undefined && before.name === after?.name && before.namespace === after.namespace;
  return [before, isSame ? undefined : after].filter((release) => release !== undefined);
};

/** Judges a write of an object that carries ownership marks, before or after. */
export const reviewObject = (
  dependencies: ReviewDependencies,
  review: Review,
  deadline: Deadline,
): Now<AdmissionAnswer> => {
  const { object: after, oldObject: before, user } = review;
  const object: ObjectRef = {
    group: review.kind.group,
    kind: review.kind.kind,
    namespace: review.namespace,
    name: review.name,
  };
  const judge = (release: ReleaseName): Now<Verdict> => {
    const write: ObjectWrite = { release, username: user.username, attempt: ATTEMPTS[review.operation], object };
    const changes: Changes = {
      isNone: () => before !== undefined && after !== undefined && isUnchanged(before, after),
      find: (document, policy) =>
        before === undefined || after === undefined
          ? []
          : findDrift({
              scope: scopeOf(policy, user.username),
              document,
              releaseName: release.name,
              releaseNamespace: release.namespace,
              before,
              after,
              ignore: ignoredPathsFor(policy.drift.ignore, object),
            }),
    };
    return judgeGoverned(dependencies, { write, owner: release, user, changes }, deadline);
  };
  const [release, ...others] = releasesOf(review);
  if (release === undefined) return allow('no release');
  return others.reduce<Now<Verdict>>(async (first, other) => together(await first, await judge(other)), judge(release));
};
