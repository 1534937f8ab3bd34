import type { ReleaseName } from '../../helm/names.ts';
import type { UserInfo } from '../../kubernetes/object.ts';
import type { DriftScope, Policy } from '../../policy/policy.ts';
import type { ObjectWrite } from '../../rules/object.ts';
import type { FieldChange } from '../../rules/verdict.ts';

/** What a write changes, worked out only as far as the judgement needs it. */
export interface Changes {
  /** Whether it leaves the desired state as it was: then nothing else has to be asked. */
  isNone(): boolean;
  /** Given the chart's document; called only when the manifest lists the object. */
  find(document: Record<string, unknown>, policy: Policy): readonly FieldChange[];
  /** Whether it gives the object an owner, with which the garbage collector may take it away. */
  gainsOwner(): boolean;
  /** Whether it brings back an object exactly as the chart's document has it. */
  restores(document: Record<string, unknown>): boolean;
}

/** A write of a governed object, or of its scale. */
export interface GovernedWrite {
  /** `release` is the store that is asked. */
  readonly write: ObjectWrite;
  /** What the object's ownership marks name; its records may lie in another namespace. */
  readonly owner: ReleaseName;
  readonly user: UserInfo;
  /** Nothing is written then, by Belay neither. */
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
