import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { LockVerb } from '../../src/policy/lock.ts';
import { code, codes, section, table } from './markdown.ts';

const VERBS: Readonly<Record<LockVerb, string>> = {
  lock: 'Write a freeze, a pin or a ban on downgrades, make one stronger, close a maintenance window.',
  unlock: 'Lift a lock, or make it weaker.',
  open: 'Open a maintenance window, or let it last longer.',
  break: 'Declare the operation in flight dead.',
};

const ROLES = join(import.meta.dirname, '../../manifests/base/release-roles.yaml');
const AGGREGATES_TO = 'rbac.authorization.k8s.io/aggregate-to-';

interface ClusterRole {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly rules: readonly { readonly verbs: readonly string[] }[];
}

/** The built-in roles that hold a verb, as the manifests aggregate them. */
const rolesWith = (roles: readonly ClusterRole[], verb: string): readonly string[] =>
  roles
    .filter(({ rules }) => rules.some(({ verbs }) => verbs.includes(verb)))
    .flatMap(({ metadata }) => Object.keys(metadata.labels).filter((label) => label.startsWith(AGGREGATES_TO)))
    .map((label) => label.slice(AGGREGATES_TO.length));

export const verbs = async (): Promise<string> => {
  const roles = parseAllDocuments(await readFile(ROLES, 'utf8')).map((document) => document.toJS() as ClusterRole);
  return section(
    'Verbs on releases.belay.dev',
    '`releases.belay.dev` is a virtual resource: nothing is stored under it. Belay asks for its verbs by SubjectAccessReview, in the namespace of the release and by its name, so that a Role with `resourceNames` grants a verb for one release. For an annotation on a Namespace it asks without a name. `kubectl auth can-i` does not know virtual resources and always answers no.',
    table(
      ['verb', 'what it takes the verb to do', 'built-in roles that have it'],
      Object.entries(VERBS).map(([verb, meaning]) => [code(verb), meaning, codes(rolesWith(roles, verb))]),
    ),
  );
};
