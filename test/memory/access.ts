import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

/** The rights on `releases.belay.dev`, which is all that Belay asks about. */
export interface Access {
  /** Gives a user a built-in role in a namespace. */
  bind(username: string, role: 'edit' | 'admin', namespace: string): void;
  /** Gives a user these verbs on releases of that name; `*` is every namespace. */
  grant(username: string, verbs: readonly string[], namespace: string, release?: string): void;
  /** Answers a SubjectAccessReview. */
  review(body: unknown): object;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

interface Role {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly rules?: readonly Rule[];
}

/** The verbs that the shipped roles add to a built-in one. */
const shippedVerbs = (role: 'edit' | 'admin'): readonly string[] => {
  const file = new URL('../../manifests/base/release-roles.yaml', import.meta.url);
  const roles = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Role);
  return roles
    .filter(({ metadata }) => metadata.labels?.[`rbac.authorization.k8s.io/aggregate-to-${role}`] === 'true')
    .flatMap(({ rules = [] }) => rules)
    .filter(({ apiGroups, resources }) => apiGroups.includes('belay.dev') && resources.includes('releases'))
    .flatMap(({ verbs }) => verbs);
};

/** `admin` is made of `edit` and its own (rbac.authorization.k8s.io/aggregate-to-edit is aggregated to admin by Kubernetes). */
const VERBS = { edit: shippedVerbs('edit'), admin: [...shippedVerbs('edit'), ...shippedVerbs('admin')] };

interface Attributes {
  readonly verb: string;
  readonly namespace: string;
  readonly name: string;
}

export const createAccess = (): Access => {
  const grants: { username: string; verbs: readonly string[]; namespace: string; release: string | undefined }[] = [];
  const may = (username: string, { verb, namespace, name }: Attributes): boolean =>
    grants.some(
      (grant) =>
        grant.username === username &&
        grant.verbs.includes(verb) &&
        (grant.namespace === '*' || grant.namespace === namespace) &&
        (grant.release === undefined || grant.release === name),
    );
  return {
    bind: (username, role, namespace) => {
      grants.push({ username, verbs: VERBS[role], namespace, release: undefined });
    },
    grant: (username, verbs, namespace, release) => {
      grants.push({ username, verbs, namespace, release });
    },
    review: (body) => {
      const { spec } = body as { spec: { user: string; groups?: readonly string[]; resourceAttributes: Attributes } };
      const allowed = spec.groups?.includes('system:masters') === true || may(spec.user, spec.resourceAttributes);
      return { kind: 'SubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', spec, status: { allowed } };
    },
  };
};
