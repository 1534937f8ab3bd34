import type { ReleaseName } from '../../helm/names.ts';
import type { UserInfo } from '../../kubernetes/object.ts';
import type { DriftScope, Policy } from '../../policy/policy.ts';
import type { ObjectWrite } from '../../rules/object.ts';
import type { FieldChange } from '../../rules/verdict.ts';

/** What a write changes. Each question is answered only when the judgement asks it. */
export interface Changes {
  /** Whether the write leaves the desired state as it was. Then nothing else has to be asked. */
  isNone(): boolean;
  /** The changes, by the chart's document. Called only when the manifest lists the object. */
  find(document: Record<string, unknown>, policy: Policy): readonly FieldChange[];
  /** Whether the write gives the object an owner. The garbage collector deletes an object when its owner is gone. */
  gainsOwner(): boolean;
  /** Whether the write restarts Pods, by an edit that its writer may not make on a frozen release. */
  restarts(document: Record<string, unknown>, policy: Policy): boolean;
  /** Whether the write creates a missing object exactly as the chart's document has it. */
  restores(document: Record<string, unknown>): boolean;
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

/** Controllers run as service accounts; everybody else is a person (docs/design.md#governed-objects). */
export const scopeOf = ({ drift }: Policy, username: string): DriftScope =>
  username.startsWith('system:serviceaccount:') ? drift.serviceAccounts : drift.users;

/** Keeps the last answer: a refusal from memory is judged again with live facts, mostly by the same document and the same policy. */
export const findOnce = (find: Changes['find']): Changes['find'] => {
  let last: { document: object; policy: Policy; changes: readonly FieldChange[] } | undefined;
  return (document, policy) => {
    if (last?.document !== document || last.policy !== policy)
      last = { document, policy, changes: find(document, policy) };
    return last.changes;
  };
};
