import { type Api, pathOf } from '../../kubernetes/api.ts';
import { showName } from '../../text/escape.ts';
import { ask, describeError } from './ask.ts';
import { atMost, count, type Finding } from './finding.ts';
import type { Patient } from './patient.ts';
import { type Place, type PolicyRule, shippedAt } from './shipped.ts';

/** `SubjectAccessReviewSpec.resourceAttributes` */
interface Right {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Each right of some rules by itself; a SubjectAccessReview takes one. */
export const rightsOf = (rules: readonly PolicyRule[], namespace?: string): readonly Right[] =>
  rules.flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((path) => {
        const [resource = '', subresource] = path.split('/');
        return verbs.flatMap((verb) =>
          (resourceNames ?? [undefined]).map((name) => ({
            group,
            resource,
            verb,
            ...(subresource !== undefined && { subresource }),
            ...(namespace !== undefined && { namespace }),
            ...(name !== undefined && { name }),
          })),
        );
      }),
    ),
  );

const EVERYTHING: Right = { group: '*', resource: '*', verb: '*' };

/**
 * What no overlay gives (manifests/overlays/repair gives most), and what would let whoever takes over Belay's service account take over the
 * cluster, or would let Belay stand in its own way.
 */
const TOO_MUCH: readonly Right[] = [
  { group: '', resource: 'secrets', verb: 'delete' },
  { group: '', resource: 'secrets', verb: 'update' },
  { group: '', resource: 'pods', verb: 'create' },
  { group: '', resource: 'pods', subresource: 'exec', verb: 'create' },
  { group: '', resource: 'nodes', verb: 'update' },
  { group: '', resource: 'namespaces', verb: 'delete' },
  { group: '', resource: 'users', verb: 'impersonate' },
  { group: '', resource: 'serviceaccounts', subresource: 'token', verb: 'create' },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterroles', verb: 'escalate' },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterrolebindings', verb: 'create' },
  { group: 'admissionregistration.k8s.io', resource: 'validatingwebhookconfigurations', verb: 'delete' },
];

const show = ({ group, resource, subresource, verb, namespace, name }: Right): string => {
  const path = [resource, group].filter(Boolean).join('.') + (subresource === undefined ? '' : `/${subresource}`);
  return `${verb} ${path}${name === undefined ? '' : ` ${showName(name)}`}${namespace === undefined ? '' : ` in namespace ${showName(namespace)}`}`;
};

/** Of Belay's service account. Rejects where the caller may not ask about others. */
const may = async (api: Api, { namespace, serviceAccount }: Place, resourceAttributes: Right): Promise<boolean> => {
  const { status } = await api.request<{ status?: { allowed?: boolean; denied?: boolean } }>({
    method: 'POST',
    path: pathOf('apis', 'authorization.k8s.io', 'v1', 'subjectaccessreviews'),
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: `system:serviceaccount:${namespace}:${serviceAccount}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        resourceAttributes,
      },
    },
  });
  return status?.allowed === true && status.denied !== true;
};

const filterRights = async (
  api: Api,
  place: Place,
  rights: readonly Right[],
  allowed: boolean,
): Promise<readonly Right[]> => {
  const answers = await Promise.all(rights.map((right) => may(api, place, right)));
  return rights.filter((_, at) => answers[at] === allowed);
};

/** Of a Secret that somebody else keeps. */
const readOnly = (secret: string): PolicyRule => ({
  apiGroups: [''],
  resources: ['secrets'],
  resourceNames: [secret],
  verbs: ['get', 'list', 'watch'],
});

/** What Belay's service account may do: all that it needs, and not much more. */
export const checkRights = async ({ api, place, certificates }: Patient): Promise<readonly Finding[]> => {
  const check = 'rights';
  const account = `service account ${showName(`${place.namespace}/${place.serviceAccount}`)}`;
  try {
    if (await may(api, place, EVERYTHING))
      return [
        {
          check,
          state: 'warn',
          says: `${account} may do everything in this cluster, which Belay does not need`,
          next: `kubectl get clusterrolebindings -o wide`,
        },
      ];
    const { clusterRules, injectionRules, namespaceRules } = shippedAt(place);
    const needed = [
      ...rightsOf(certificates.areInjected ? [...clusterRules, ...injectionRules] : clusterRules),
      ...rightsOf(certificates.areOwn ? namespaceRules : [readOnly(certificates.secret)], place.namespace),
    ];
    const [missing, tooMuch] = await Promise.all([
      filterRights(api, place, needed, false),
      filterRights(api, place, TOO_MUCH, true),
    ]);
    const findings: Finding[] = [
      missing.length === 0
        ? { check, state: 'ok', says: `${account} has all ${count(needed.length, 'right')} that it needs` }
        : {
            check,
            state: 'fail',
            says: `${account} lacks ${missing.length} of ${count(needed.length, 'right')} that it needs`,
            details: atMost(missing.map(show)),
            next: 'kubectl apply -k manifests/base',
          },
    ];
    if (tooMuch.length > 0)
      findings.push({
        check: 'further rights',
        state: 'warn',
        says: `${account} has rights that Belay does not need`,
        details: atMost(tooMuch.map(show)),
        next: 'kubectl get clusterrolebindings,rolebindings -A -o wide',
      });
    return findings;
  } catch (error) {
    return [{ check, state: 'skip', says: `not checked: ${describeError(error)}` }];
  }
};

interface ClusterRole {
  readonly rules?: readonly Partial<PolicyRule>[] | null;
}

const VERBS = ['lock', 'unlock', 'open', 'break'] as const;

const verbsIn = (rules: ClusterRole['rules']): readonly string[] => {
  const own = (rules ?? [])
    .filter(({ apiGroups }) => apiGroups?.some((group) => group === 'belay.dev' || group === '*'))
    .filter(({ resources }) => resources?.some((resource) => resource === 'releases' || resource === '*'))
    .flatMap(({ verbs }) => verbs ?? []);
  return VERBS.filter((verb) => own.includes(verb) || own.includes('*'));
};

/** manifests/base/release-roles.yaml gives them by aggregation, which a controller has to carry out. */
const EXPECTED = { edit: ['lock'], admin: VERBS } as const;

/** Whether people may lock at all: Kubernetes' own roles carry Belay's verbs. */
export const checkRoles = async ({ api }: Patient): Promise<readonly Finding[]> => {
  const check = 'roles';
  const names = ['edit', 'admin'] as const;
  const answers = await Promise.all(
    names.map((name) =>
      ask<ClusterRole>(api, { path: pathOf('apis', 'rbac.authorization.k8s.io', 'v1', 'clusterroles', name) }),
    ),
  );
  const unread = answers.find((answer) => answer.state === 'unread');
  if (unread?.state === 'unread') return [{ check, state: 'skip', says: `not checked: ${unread.why}` }];
  const lacking = names.flatMap((name, at) => {
    const answer = answers[at];
    const has = answer?.state === 'read' ? verbsIn(answer.value.rules) : [];
    const lacks = EXPECTED[name].filter((verb) => !has.includes(verb));
    return lacks.length === 0 ? [] : [`${name} lacks ${lacks.join(', ')}`];
  });
  if (lacking.length === 0)
    return [
      { check, state: 'ok', says: 'who has the role edit may lock releases, who has admin may lift locks as well' },
    ];
  return [
    {
      check,
      state: 'warn',
      says: "Kubernetes' own roles do not carry all of Belay's verbs on releases.belay.dev",
      details: lacking,
      next: 'kubectl get clusterroles belay-edit belay-admin -o yaml',
    },
  ];
};

interface RulesReview {
  readonly status?: { readonly resourceRules?: readonly Partial<PolicyRule>[]; readonly incomplete?: boolean };
}

/** What the caller may do with releases where the writes are tried. */
export const checkOwnRights = async ({ api, probeNamespace }: Patient): Promise<readonly Finding[]> => {
  const check = 'your rights';
  const answer = await ask<RulesReview>(api, {
    method: 'POST',
    path: pathOf('apis', 'authorization.k8s.io', 'v1', 'selfsubjectrulesreviews'),
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace: probeNamespace },
    },
  });
  if (answer.state !== 'read') return [{ check, state: 'skip', says: 'the API server does not tell what you may do' }];
  const verbs = verbsIn(answer.value.status?.resourceRules);
  const where = `releases in namespace ${showName(probeNamespace)}`;
  return [
    {
      check,
      state: 'ok',
      says:
        verbs.length === 0
          ? `you may neither lock nor unlock ${where}`
          : `you may ${new Intl.ListFormat('en-GB').format(verbs)} ${where}`,
    },
  ];
};
