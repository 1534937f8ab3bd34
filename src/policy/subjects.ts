import type { IgnoreRule, PolicySubject } from './policy.ts';

/** A user as the API server authenticated it. */
interface User {
  readonly username: string;
  readonly groups: readonly string[];
}

const isSubject = (subject: PolicySubject, { username, groups }: User): boolean => {
  switch (subject.kind) {
    case 'User':
      return subject.name === username;
    case 'Group':
      return groups.includes(subject.name);
    case 'ServiceAccount':
      return username === `system:serviceaccount:${subject.namespace}:${subject.name}`;
  }
};

/** Whether the user is one of these, as RBAC would see it. */
export const isTrusted = (subjects: readonly PolicySubject[], user: User): boolean =>
  subjects.some((subject) => isSubject(subject, user));

/** Combinations of rules that are kept for one policy; they are few, unless names are chosen so that they are many. */
const MAX_COMBINATIONS = 256;

const NONE: readonly string[] = [];
const combinations = new WeakMap<readonly IgnoreRule[], Map<string, readonly string[]>>();

interface Named {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

const speaksOf = (rule: IgnoreRule, { group, kind, name }: Named): boolean =>
  (rule.group === '*' || rule.group === group) && (rule.kind === '*' || rule.kind === kind) && rule.matchesName(name);

/** The paths that are left to others in an object: one and the same list for the same rules, because findDrift compiles each list it is given. */
export const ignoredPathsFor = (rules: readonly IgnoreRule[], object: Named): readonly string[] => {
  let chosen = '';
  for (const [index, rule] of rules.entries()) if (speaksOf(rule, object)) chosen += `${index},`;
  if (chosen === '') return NONE;
  let known = combinations.get(rules);
  if (known === undefined) {
    known = new Map();
    combinations.set(rules, known);
  }
  let paths = known.get(chosen);
  if (paths === undefined) {
    paths = [...new Set(rules.flatMap((rule) => (speaksOf(rule, object) ? rule.paths : [])))];
    if (known.size >= MAX_COMBINATIONS) known.clear();
    known.set(chosen, paths);
  }
  return paths;
};
