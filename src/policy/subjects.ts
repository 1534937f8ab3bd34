import { type ObjectRef, serviceAccountUser, type UserInfo } from '../kubernetes/object.ts';
import type { IgnoreRule, PolicySubject, TrustedSubject } from './policy.ts';

type User = Pick<UserInfo, 'username' | 'groups'>;

const isSubject = (subject: PolicySubject, { username, groups }: User): boolean => {
  switch (subject.kind) {
    case 'User':
      return subject.name === username;
    case 'Group':
      return groups.includes(subject.name);
    case 'ServiceAccount':
      return username === serviceAccountUser(subject.namespace, subject.name);
  }
};

/** Whether RBAC would count the user among these subjects. */
export const isAmong = (subjects: readonly PolicySubject[], user: User): boolean =>
  subjects.some((subject) => isSubject(subject, user));

/** Whether the drift rule leaves the user alone, and while the release is frozen as well. */
export const isTrusted = (subjects: readonly TrustedSubject[], user: User, frozen = false): boolean =>
  subjects.some((subject) => (!frozen || subject.whileFrozen === true) && isSubject(subject, user));

/** Most combinations of rules that are kept for one policy. There are few, unless somebody chooses names so that there are many. */
const MAX_COMBINATIONS = 256;

const NONE: readonly string[] = [];
const combinations = new WeakMap<readonly IgnoreRule[], Map<string, readonly string[]>>();

export type Named = Pick<ObjectRef, 'group' | 'kind' | 'name'>;

export const appliesTo = (rule: IgnoreRule, { group, kind, name }: Named): boolean =>
  (rule.group === '*' || rule.group === group) && (rule.kind === '*' || rule.kind === kind) && rule.matchesName(name);

/** The paths that a policy ignores in an object. The same rules give the same array, because findDrift compiles each array once. */
export const ignoredPathsFor = (rules: readonly IgnoreRule[], object: Named): readonly string[] => {
  let chosen = '';
  for (const [index, rule] of rules.entries()) if (appliesTo(rule, object)) chosen += `${index},`;
  if (chosen === '') return NONE;
  let known = combinations.get(rules);
  if (known === undefined) {
    known = new Map();
    combinations.set(rules, known);
  }
  let paths = known.get(chosen);
  if (paths === undefined) {
    paths = [...new Set(rules.flatMap((rule) => (appliesTo(rule, object) ? rule.paths : [])))];
    if (known.size >= MAX_COMBINATIONS) known.clear();
    known.set(chosen, paths);
  }
  return paths;
};
