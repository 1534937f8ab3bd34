import type { ReleaseName } from '../../helm/names.ts';
import { isServiceAccount, type UserInfo } from '../../kubernetes/object.ts';
import type { DriftScope, Policy } from '../../policy/policy.ts';
import type { ObjectWrite } from '../../rules/object.ts';
import type { FieldChange } from '../../rules/verdict.ts';

/** What a write changes. Each question is worked out when the judgement asks it. */
export interface Changes {
  /** Whether the write leaves the desired state as it was. Then nothing else has to be asked. */
  isNone(): boolean;
  /** Given the chart's document; called only when the manifest lists the object. */
  find(document: Record<string, unknown>, policy: Policy): readonly FieldChange[];
  /** Whether the write gives the object an owner. The garbage collector deletes an object when its owner is gone. */
  gainsOwner(): boolean;
  /** Whether the write restarts Pods, where that is not up to its writer. */
  restarts(document: Record<string, unknown>, policy: Policy): boolean;
  /** Whether the write creates a missing object as the chart's document has it, as far as its writer may not change it. */
  restores(document: Record<string, unknown>, policy: Policy): boolean;
}

/** A write of a governed object, or of its scale. */
export interface GovernedWrite {
  /** `release` names the store that is asked. */
  readonly write: ObjectWrite;
  /** The release that the object's ownership marks name. Its records may lie in another namespace. */
  readonly owner: ReleaseName;
  readonly user: UserInfo;
  /** In a dry run Belay writes nothing either. */
  readonly dryRun: boolean;
  readonly changes: Changes;
}

/** The fields that the user may not change (docs/design.md#governed-objects). */
export const scopeOf = ({ drift }: Policy, username: string): DriftScope =>
  isServiceAccount(username) ? drift.serviceAccounts : drift.users;

/** Keeps the last answer: a refusal from memory is judged again with live facts, mostly by the same document and the same policy. */
export const findOnce = (find: Changes['find']): Changes['find'] => {
  let last: { document: object; policy: Policy; changes: readonly FieldChange[] } | undefined;
  return (document, policy) => {
    if (last?.document !== document || last.policy !== policy)
      last = { document, policy, changes: find(document, policy) };
    return last.changes;
  };
};
