import { POLICIES_PATH } from '../../facts/policy-status.ts';
import { LOCK_PREFIX } from '../../helm/record.ts';
import { pathOf } from '../../kubernetes/api.ts';
import type { CheckContext } from './check-context.ts';
import type { Finding } from './finding.ts';
import { explainRest } from './proof.ts';
import { type Outcome, tryWrite } from './try-write.ts';

const NAME = 'belay-doctor';

const judge = (check: string, context: CheckContext, what: string, outcome: Outcome): Finding => {
  if (outcome.came === 'through')
    return {
      check,
      state: 'fail',
      says: `${what} was let through: Belay is not asked about it`,
      next: 'kubectl get validatingwebhookconfiguration belay -o yaml',
    };
  if (outcome.came === 'to Belay' && outcome.code !== 'BelayUnavailable')
    return {
      check,
      state: 'ok',
      says: `${what} was refused (${outcome.webhook}, ${outcome.code})`,
      latencyMs: outcome.latencyMs,
    };
  const { next: _next, ...rest } = explainRest(check, context, outcome);
  // --probe-namespace does not help with objects that have no namespace.
  return outcome.came === 'nowhere' ? rest : explainRest(check, context, outcome);
};

/** Tries to create a Namespace with a lock that no version of Belay knows. */
export const proveNamespaces = async (context: CheckContext): Promise<Finding> => {
  const metadata = { name: NAME, annotations: { [`${LOCK_PREFIX}is-belay-there`]: 'x' } };
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata };
  const outcome = await tryWrite(context.api, { method: 'POST', path: pathOf('api', 'v1', 'namespaces'), body });
  return judge('guard of namespaces', context, 'a bad lock on a Namespace', outcome);
};

/**
 * Tries a policy that passes the schema and that Belay cannot read. Its time zone and its range
 * do not exist. There are two mistakes, because an older schema may drop one of these fields.
 */
export const provePolicies = async (context: CheckContext): Promise<Finding> => {
  const windows = [{ schedule: '0 0 * * *', duration: '1h', timeZone: 'Nowhere/Nowhere', reason: NAME }];
  const body = {
    apiVersion: 'belay.dev/v1alpha1',
    kind: 'ReleasePolicy',
    metadata: { name: NAME },
    spec: { match: { releases: [NAME] }, freeze: { windows }, versions: { range: 'none of these' } },
  };
  const outcome = await tryWrite(context.api, { method: 'POST', path: POLICIES_PATH, body });
  return judge('guard of policies', context, 'a bad policy', outcome);
};
