import type { AdmissionAnswer } from '../admission/answer.ts';
import type { Deadline, Review } from '../admission/review.ts';
import { findDocument } from '../helm/manifest.ts';
import { findDrift } from '../rules/drift/find-drift.ts';
import { isUnchanged } from '../rules/drift/is-unchanged.ts';
import { findOperation, isHolderUnknown, type ReleaseFacts } from '../rules/in-flight.ts';
import { findFreezes, findOpen, type NamespaceFacts } from '../rules/locks.ts';
import { judgeObject, lookAtObject, type ObjectWrite } from '../rules/object.ts';
import { allow, type FieldChange, type ObjectRef, type ReleaseName, type Verdict } from '../rules/verdict.ts';
import { ownerOf } from './classify.ts';
import { clockOf, type ReviewDependencies } from './dependencies.ts';

export type Subject = 'user' | 'serviceAccount';

/** Controllers run as service accounts; everybody else is a person (DESIGN.md 4.3). */
export const subjectOf = (username: string): Subject =>
  username.startsWith('system:serviceaccount:') ? 'serviceAccount' : 'user';

/** What a write changes, worked out only as far as the judgement needs it. */
export interface Changes {
  /** Whether it leaves the desired state as it was: then nothing else has to be asked. */
  isNone(): boolean;
  /** Given the chart's document; called only when the manifest lists the object. */
  find(document: Record<string, unknown>): readonly FieldChange[];
}

const judgeWith = async (
  dependencies: ReviewDependencies,
  write: ObjectWrite,
  changes: Changes,
  facts: ReleaseFacts,
  namespace: NamespaceFacts | undefined,
): Promise<Verdict> => {
  const clock = clockOf(dependencies);
  const freezes = findFreezes(facts.records, namespace, clock.nowMs);
  const outlook = lookAtObject(write, facts, freezes.length > 0, clock);
  if (outlook.settled) {
    if (outlook.heardFromHolder) dependencies.claims.heardFrom(write.release, write.username);
    return outlook.verdict;
  }
  if (changes.isNone()) return allow('unchanged');
  const manifest = await dependencies.manifests.of(outlook.governing);
  if (manifest === undefined) return allow('no manifest');
  const listed = findDocument(manifest.documents, manifest.namespace, write.object);
  return judgeObject(write, {
    governing: outlook.governing,
    state: outlook.state,
    chart: `${manifest.chart.name}-${manifest.chart.version}`,
    listed: listed !== undefined,
    changes:
      listed === undefined || write.attempt === 'delete' || write.attempt === 'create'
        ? []
        : changes.find(listed.document),
    freezes,
    open: findOpen(facts.records, namespace, clock.nowMs),
  });
};

/** Judges from memory first, and reads the facts live before it refuses (DESIGN.md 4.4). */
export const judgeGoverned = async (
  dependencies: ReviewDependencies,
  write: ObjectWrite,
  changes: Changes,
  deadline: Deadline,
): Promise<Verdict> => {
  const { index, live } = dependencies;
  const { release } = write;
  const known = index.facts(release);
  // Records and claims come by watches of their own: a holder may be unknown only because its claim has not come in yet.
  if (index.isSynced() && !isHolderUnknown(findOperation(known, clockOf(dependencies)))) {
    const remembered = await judgeWith(dependencies, write, changes, known, index.namespace(release.namespace));
    if (remembered.allowed) return remembered;
  } else if (changes.isNone()) {
    return allow('unchanged');
  }
  const { signal } = deadline;
  const [facts, namespace] = await Promise.all([
    live.release(release, signal),
    live.namespace(release.namespace, signal),
  ]);
  if (namespace?.terminating === true) return allow('terminating namespace');
  return judgeWith(dependencies, write, changes, facts, namespace);
};

/** Paths that a policy leaves to others: none until there are policies. One list, because findDrift compiles each that it is given. */
export const NOTHING_IGNORED: readonly string[] = [];

const ATTEMPTS = { CREATE: 'create', UPDATE: 'change', DELETE: 'delete', CONNECT: 'change' } as const;

const releasesOf = (review: Review): readonly ReleaseName[] => {
  const before = ownerOf(review.oldObject);
  const after = ownerOf(review.object);
  const isSame = before !== undefined && before.name === after?.name && before.namespace === after.namespace;
  return [before, isSame ? undefined : after].filter((release) => release !== undefined);
};

/** Judges a write of an object that carries ownership marks, before or after. */
export const reviewObject = async (
  dependencies: ReviewDependencies,
  review: Review,
  deadline: Deadline,
): Promise<AdmissionAnswer> => {
  const { object: after, oldObject: before, user } = review;
  const object: ObjectRef = {
    group: review.kind.group,
    kind: review.kind.kind,
    namespace: review.namespace,
    name: review.name,
  };
  let verdict: Verdict = allow('no release');
  for (const release of releasesOf(review)) {
    const changes: Changes = {
      isNone: () => before !== undefined && after !== undefined && isUnchanged(before, after),
      find: (document) =>
        before === undefined || after === undefined
          ? []
          : findDrift({
              subject: subjectOf(user.username),
              document,
              releaseName: release.name,
              releaseNamespace: release.namespace,
              before,
              after,
              ignore: NOTHING_IGNORED,
            }),
    };
    const write: ObjectWrite = { release, username: user.username, attempt: ATTEMPTS[review.operation], object };
    verdict = await judgeGoverned(dependencies, write, changes, deadline);
    if (!verdict.allowed) return verdict;
  }
  return verdict;
};
