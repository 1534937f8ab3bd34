import { type Api, pathOf } from '../../kubernetes/api.ts';
import { showName } from '../../text/escape.ts';
import { describeError } from './ask.ts';
import type { CheckContext } from './check-context.ts';
import { atMost, count, type Finding } from './finding.ts';
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

/** Splits rules into single rights, because a SubjectAccessReview takes one. */
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
 * Rights that no overlay gives (manifests/overlays/repair gives most). With them, a thief of Belay's service account could take over the
 * cluster, or Belay could break its own work.
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

/** Whether Belay's service account has a right. Rejects when the user may not ask about others. */
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

/** The rights that Belay needs on a Secret that somebody else keeps. */
const readOnly = (secret: string): PolicyRule => ({
  apiGroups: [''],
  resources: ['secrets'],
  resourceNames: [secret],
  verbs: ['get', 'list', 'watch'],
});

/** Checks that Belay's service account has all rights that it needs, and no dangerous others. */
export const checkRights = async ({ api, place, certificates }: CheckContext): Promise<readonly Finding[]> => {
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
