import type { PolicyStatus } from '../../facts/policy-status.ts';
import type { StoredPolicy } from '../../facts/stored-policy.ts';
import { pathOf } from '../../kubernetes/api.ts';
import type { Policy } from '../../policy/policy.ts';
import { escapeText, showName } from '../../text/escape.ts';
import { readPolicies } from '../releases/policies.ts';
import { ask, describeError } from './ask.ts';
import type { CheckContext } from './check-context.ts';
import { compareSchemas } from './compare-schemas.ts';
import { atMost, count, type Finding } from './finding.ts';

const CRD = 'releasepolicies.belay.dev';
const APPLY_CRD = 'kubectl apply -f manifests/base/release-policy-crd.yaml';

interface Definition {
  readonly spec?: {
    readonly versions?: readonly {
      readonly name: string;
      readonly served?: boolean;
      readonly schema?: { readonly openAPIV3Schema?: unknown };
    }[];
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Checks that the kind ReleasePolicy is installed, is established, and has the fields of this version. */
export const checkPolicyKind = async ({ api }: CheckContext): Promise<readonly Finding[]> => {
  const check = "policies' kind";
  const path = pathOf('apis', 'apiextensions.k8s.io', 'v1', 'customresourcedefinitions', CRD);
  const answer = await ask<Definition>(api, { path });
  if (answer.state === 'unread') return [{ check, state: 'skip', says: `not checked: ${answer.why}` }];
  if (answer.state === 'missing')
    return [
      {
        check,
        state: 'fail',
        says: `${CRD} is not installed: nobody can write a policy, and the built-in defaults hold`,
        next: APPLY_CRD,
      },
    ];
  const { spec, status } = answer.value;
  if (!status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True'))
    return [
      {
        check,
        state: 'fail',
        says: `${CRD} is not established`,
        next: `kubectl describe customresourcedefinition ${CRD}`,
      },
    ];
  const version = spec?.versions?.find(({ name }) => name === 'v1alpha1');
  if (version?.served !== true)
    return [{ check, state: 'fail', says: `${CRD} does not serve v1alpha1`, next: APPLY_CRD }];
  const { releasePolicyCrd } = await import('../../policy/crd.ts');
  const own = (releasePolicyCrd() as Definition).spec?.versions?.[0]?.schema?.openAPIV3Schema;
  const { missing, changed, added } = compareSchemas(own, version.schema?.openAPIV3Schema);
  if (missing.length > 0 || changed.length > 0)
    return [
      {
        check,
        state: 'warn',
        says: `${CRD} is of another version: a policy that uses these fields is cut or refused`,
        details: atMost([
          ...missing.map((field) => `${field} is missing`),
          ...changed.map((field) => `${field} differs`),
        ]),
        next: APPLY_CRD,
      },
    ];
  const newer =
    added.length === 0 ? 'has the schema of this version' : `is newer: it has ${atMost(added, 3).join(', ')} as well`;
  return [{ check, state: 'ok', says: `${CRD} is established, and ${newer}` }];
};

/** The rules that a policy does not enforce: `drift Audit` */
const lenient = ({ operations, versions, drift, freeze }: Policy): readonly string[] =>
  Object.entries({ operations, versions, drift, freeze })
    .filter(([, { action }]) => action !== 'Deny')
    .map(([rule, { action }]) => `${rule} ${action}`);

const judge = (stored: StoredPolicy): Pick<Finding, 'state' | 'details'> => {
  const name = showName(stored.name);
  if (stored.problems.length > 0) {
    const instead =
      stored.accepted === undefined ? 'nothing of it holds' : `generation ${stored.accepted.generation} holds instead`;
    return {
      state: 'fail',
      details: [
        `${name} cannot be read, and ${instead}:`,
        ...atMost(
          stored.problems.map(({ field, problem }) => `  ${escapeText(field, 253)}: ${escapeText(problem, 300)}`),
          3,
        ),
      ],
    };
  }
  const { observedGeneration } = (stored.object.status ?? {}) as Partial<PolicyStatus>;
  if (observedGeneration !== stored.generation)
    return { state: 'warn', details: [`${name}: Belay has not looked at its newest version yet`] };
  const rules = stored.accepted === undefined ? [] : lenient(stored.accepted.policy);
  return {
    state: 'ok',
    details: rules.length === 0 ? [] : [`${name} does not refuse everything: ${rules.join(', ')}`],
  };
};

const WEIGHT = { ok: 0, skip: 0, warn: 1, fail: 2 } as const;

export const checkPolicies = async ({ api }: CheckContext): Promise<readonly Finding[]> => {
  const check = 'policies';
  let stored: readonly StoredPolicy[];
  try {
    stored = await readPolicies(api);
  } catch (error) {
    return [{ check, state: 'skip', says: `not checked: ${describeError(error)}` }];
  }
  if (stored.length === 0) return [{ check, state: 'ok', says: 'none: the built-in defaults hold' }];
  const judged = stored.map(judge).sort((a, b) => WEIGHT[b.state] - WEIGHT[a.state]);
  const state = judged[0]?.state ?? 'ok';
  const details = judged.flatMap((one) => one.details ?? []);
  const bad = judged.filter((one) => one.state === 'fail').length;
  return [
    {
      check,
      state,
      says:
        bad > 0
          ? `${bad} of ${count(stored.length, 'policy', 'policies')} cannot be read, and is ignored`
          : `${count(stored.length, 'policy', 'policies')}, accepted`,
      ...(details.length > 0 && { details: atMost(details, 20) }),
      ...(state !== 'ok' && { next: 'kubectl get releasepolicies -o wide' }),
    },
  ];
};
