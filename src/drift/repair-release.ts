import type { Situation } from '../facts/situation.ts';
import type { ReleaseName } from '../helm/names.ts';
import { ApiError, isConflict } from '../kubernetes/api.ts';
import { leftPathsOf } from '../policy/left-paths.ts';
import { findFreezes, findMaintenanceWindow } from '../rules/locks.ts';
import { findGoverning } from './find-release-drift.ts';
import type { CheckedRelease, ObjectDrift } from './findings.ts';
import { marksOf } from './placed-document.ts';
import { type RepairDependencies, type Repaired, repairObject } from './repair-object.ts';

/** Everything that decides whether a release may be repaired, read live. */
export type RepairSituation = Pick<Situation, 'facts' | 'namespaces' | 'policy'>;

export interface RepairReleaseDependencies extends RepairDependencies {
  /** Read live, so that it is strongly consistent. Rejects with ApiError when it cannot be read. */
  readonly situation: (release: ReleaseName, signal: AbortSignal) => Promise<RepairSituation>;
  readonly nowMs: () => number;
}

export interface RepairReleaseOptions {
  readonly prune: boolean;
  readonly dryRun: boolean;
  /**
   * True for a repair by Belay itself, with rights that the writer of the record may not have. A person repairs with his own rights, and may do so
   * while the release is open.
   */
  readonly unattended: boolean;
}

/** `overtaken`: somebody else has written first, so that the object is worth another look. */
export type RepairOutcome =
  | Repaired
  | { readonly done: 'overtaken' | 'failed'; readonly why: string; readonly error: unknown };

/** Why a release is not repaired now. Undefined when it may be repaired. */
export const refusesRepair = (
  { governing }: CheckedRelease,
  { facts, policy, namespaces }: RepairSituation,
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
 * Whether the object is one that Belay itself must not write. A record decides what its objects are to be, and everybody who may write Secrets in a
 * namespace may write a record there. Such a record must not decide about objects in another namespace, or in none. People repair those with
 * their own rights.
 */
const isOutOfReach = ({ object }: ObjectDrift, { release, namespace }: CheckedRelease): boolean =>
  object.namespace !== release.namespace || namespace !== release.namespace;

/** When a test of a JSON Patch fails, the API server answers 422 without a cause (apiserver handlers/patch.go). */
const isOvertaken = (error: unknown): boolean =>
  isConflict(error) ||
  (error instanceof ApiError && error.status === 422 && /error in our request$/.test(error.message));

/** Sets the objects of a release back, one by one. Before each of them, the situation of the release is read again. */
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
    const ignore = leftPathsOf(situation.policy.drift, drift.object, drift.left);
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
