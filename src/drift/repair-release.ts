import type { ReleaseName } from '../helm/names.ts';
import { ApiError, isConflict } from '../kubernetes/api.ts';
import { ignoredPathsFor } from '../policy/subjects.ts';
import { findFreezes, findMaintenanceWindow, type NamespaceFacts } from '../rules/locks.ts';
import { findGoverning, type ReleaseSituation } from './find-release-drift.ts';
import type { CheckedRelease, ObjectDrift } from './findings.ts';
import { marksOf } from './placed-document.ts';
import { type RepairDependencies, type Repaired, repairObject } from './repair-object.ts';

/** Everything that decides whether a release may be repaired, read live. */
export interface LiveSituation extends ReleaseSituation {
  readonly namespaces: readonly NamespaceFacts[];
}

export interface RepairReleaseDependencies extends RepairDependencies {
  /** Strongly consistent. Rejects with ApiError when it cannot be had. */
  readonly situation: (release: ReleaseName, signal: AbortSignal) => Promise<LiveSituation>;
  readonly nowMs: () => number;
}

export interface RepairReleaseOptions {
  readonly prune: boolean;
  readonly dryRun: boolean;
  /**
   * By Belay itself, with rights that whoever wrote the record may not have. A person repairs with rights of his own, and may do so
   * while the release is open.
   */
  readonly unattended: boolean;
}

/** `overtaken`: somebody else was quicker, and it is worth another look. */
export type RepairOutcome =
  | Repaired
  | { readonly done: 'overtaken' | 'failed'; readonly why: string; readonly error: unknown };

/** Why a release is not repaired now; undefined when it may be. */
export const refusesRepair = (
  { governing }: CheckedRelease,
  { facts, policy, namespaces }: LiveSituation,
  { unattended }: Pick<RepairReleaseOptions, 'unattended'>,
  nowMs: number,
): string | undefined => {
  const judged = findGoverning({ facts, policy }, nowMs);
  if ('why' in judged) return judged.why;
  if (judged.governing.uid !== governing.uid) return 'another revision has been deployed';
  if (namespaces.some(({ terminating }) => terminating)) return 'the namespace is being deleted';
  const [freeze] = findFreezes(facts.records, namespaces, policy, nowMs);
  if (freeze !== undefined) return `the release is frozen: ${freeze.reason}`;
  if (unattended && findMaintenanceWindow(facts.records, namespaces, nowMs) !== undefined)
    return 'the release is open to changes by hand';
  return undefined;
};

/**
 * Whether Belay itself may write that object. A record says what its objects are to be, and whoever may write Secrets in a namespace may
 * write a record there: what lies elsewhere, or in no namespace, is not for him to decide. People repair it with rights of their own.
 */
const isOutOfReach = ({ object }: ObjectDrift, { release, namespace }: CheckedRelease): boolean =>
  object.namespace !== release.namespace || namespace !== release.namespace;

/** A test of a JSON Patch that does not hold is answered 422 without any cause (apiserver handlers/patch.go). */
const isOvertaken = (error: unknown): boolean =>
  isConflict(error) ||
  (error instanceof ApiError && error.status === 422 && /error in our request$/.test(error.message));

/** Sets the objects of a release back, one by one; each time the release is looked at anew before. */
export const repairRelease = async (
  dependencies: RepairReleaseDependencies,
  checked: CheckedRelease,
  options: RepairReleaseOptions,
  signal: AbortSignal,
  report: (drift: ObjectDrift, outcome: RepairOutcome) => void,
  drifted: readonly ObjectDrift[] = checked.drifted,
): Promise<void> => {
  const { release, namespace } = checked;
  const { prune, dryRun, unattended } = options;
  const repair = async (drift: ObjectDrift): Promise<RepairOutcome> => {
    if (unattended && isOutOfReach(drift, checked))
      return { done: 'nothing', why: 'only objects in the namespace of the release are repaired unattended' };
    const situation = await dependencies.situation(release, signal);
    const why = refusesRepair(checked, situation, options, dependencies.nowMs());
    if (why !== undefined) return { done: 'nothing', why };
    const ignore = ignoredPathsFor(situation.policy.drift.ignore, drift.object);
    return repairObject(dependencies, drift, { prune, dryRun, marks: marksOf(release, namespace), ignore }, signal);
  };
  for (const drift of drifted) {
    try {
      report(drift, await repair(drift));
    } catch (error) {
      if (signal.aborted) throw error;
      report(drift, { done: isOvertaken(error) ? 'overtaken' : 'failed', why: (error as Error).message, error });
    }
  }
};
