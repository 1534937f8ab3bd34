import type { ReleaseName } from '../../helm/names.ts';
import type { UserInfo } from '../../kubernetes/object.ts';
import { isController } from '../../policy/controllers.ts';
import type { DriftScope, Policy } from '../../policy/policy.ts';
import type { ObjectWrite } from '../../rules/object.ts';
import type { FieldChange } from '../../rules/verdict.ts';

/** What a write changes. Each question is answered only when the judgement asks it. */
export interface Changes {
  /** Whether the write leaves the desired state as it was. Then nothing else has to be asked. */
  isNone(): boolean;
  /**
   * Reads what the other questions need beside the review, where it is written in another version of its kind than the chart or an owner of
   * fields. Undefined where nothing has to be read.
   */
  prepare(document: Record<string, unknown>, signal: AbortSignal): Promise<void> | undefined;
  /** The changes, by the chart's document and the paths that are left to the writer. Called only when the manifest lists the object. */
  find(document: Record<string, unknown>, policy: Policy, left: readonly string[]): readonly FieldChange[];
  /** Fields that have the chart's value again and belong to somebody else now. They do not count as changes. */
  restored(document: Record<string, unknown>, policy: Policy, left: readonly string[]): readonly FieldChange[];
  /** The field manager that created the object and owns all of its fields. */
  creator(): string | undefined;
  /** Whether the write gives the object an owner. The garbage collector deletes an object when its owner is gone. */
  gainsOwner(): boolean;
  /** Whether the write restarts Pods, by an edit that its writer may not make on a frozen release. */
  restarts(document: Record<string, unknown>, policy: Policy, left: readonly string[]): boolean;
  /** The labels by which a workload chooses its Pods. */
  podLabels?(): Readonly<Record<string, string>>;
  /** Whether the write creates a missing object as the chart's document has it, as far as its writer may not change it. */
  restores(document: Record<string, unknown>, policy: Policy, left: readonly string[]): boolean;
}

/** A write of a governed object, or of its scale. */
export interface GovernedWrite {
  /** `release` in it names the store whose records judge the write. */
  readonly write: ObjectWrite;
  /** The release that the object's ownership marks name. Its records may lie in another namespace. */
  readonly owner: ReleaseName;
  readonly user: UserInfo;
  /** In a dry run Belay writes nothing either. */
  readonly dryRun: boolean;
  readonly changes: Changes;
}

/** The fields that the user may not change. A user who is no controller is a person (docs/design.md#governed-objects). */
export const scopeOf = ({ drift }: Policy, username: string): DriftScope =>
  isController(username) ? drift.serviceAccounts : drift.users;

/** Keeps the last answer: a refusal from memory is judged again with live facts, mostly by the same document and the same policy. */
export const findOnce = (find: Changes['find']): Changes['find'] => {
  let last: { document: object; policy: Policy; left: readonly string[]; changes: readonly FieldChange[] } | undefined;
  return (document, policy, left) => {
    if (last?.document !== document || last.policy !== policy || last.left !== left)
      last = { document, policy, left, changes: find(document, policy, left) };
    return last.changes;
  };
};
