import { pathOf } from '../../kubernetes/api.ts';
import { showName } from '../../text/escape.ts';
import { ask } from './ask.ts';
import type { CheckContext } from './check-context.ts';
import type { Finding } from './finding.ts';
import type { PolicyRule } from './shipped.ts';

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

/** manifests/base/release-roles.yaml gives these verbs by aggregation, which a controller has to carry out. */
const EXPECTED = { edit: ['lock'], admin: VERBS } as const;

/** Checks that Kubernetes' own roles carry Belay's verbs. Without the verbs, nobody but an administrator may lock. */
export const checkRoles = async ({ api }: CheckContext): Promise<readonly Finding[]> => {
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

/** Says the rights of the user on releases, in the namespace where writes are tried. */
export const checkOwnRights = async ({ api, probeNamespace }: CheckContext): Promise<readonly Finding[]> => {
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
